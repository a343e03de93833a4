import { z } from 'zod';
import { LogPolicy } from '../../stores/models.js';
import { openStateFile } from '../state-file.js';

const PoliciesFile = z.strictObject({ v: z.literal(1), models: z.record(z.string(), LogPolicy) });

/** Of a model whose policy could not be read yet: what it may keep is not known, so neither inputs nor outputs are. */
const UNKNOWN = LogPolicy.parse({ inputs: { share: 0 }, outputs: { redact: ['class', 'probabilities', 'value'] } });

export interface LogPoliciesOptions {
  /** The file that helps a start while PostgreSQL is away. */
  readonly path: string;
  /** The policies in force of these models; a model without a definition has the default. */
  readonly read: (models: readonly string[]) => Promise<Record<string, LogPolicy>>;
  readonly everyMs?: number;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface LogPolicies {
  of(model: string): LogPolicy;
  /** Reads the policies of models that are new here; of the others they are read every 10 s. */
  learn(models: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** What the prediction log keeps of each model, as the definition in force says. */
export async function openLogPolicies({ path, read, everyMs = 10_000, onProblem }: LogPoliciesOptions): Promise<LogPolicies> {
  const file = await openStateFile(path, PoliciesFile, { v: 1, models: {} });
  const watched = new Set<string>();
  const known = new Set<string>();
  let reported = false;

  async function refresh(models: readonly string[]): Promise<void> {
    if (models.length === 0) return;
    try {
      const found = await read(models);
      const changed = Object.entries(found).some(([model, policy]) => JSON.stringify(file.value.models[model]) !== JSON.stringify(policy));
      Object.assign(file.value.models, found);
      for (const model of models) known.add(model);
      reported = false;
      if (changed) await file.save();
    } catch (error) {
      if (!reported) onProblem('what the prediction log may keep could not be read; what was known goes on', error);
      reported = true;
    }
  }

  let round: Promise<void> = Promise.resolve();
  const timer = setInterval(() => { round = round.then(() => refresh([...watched])); }, everyMs);
  timer.unref();

  return {
    of: (model) => file.value.models[model] ?? UNKNOWN,
    learn: (models) => {
      const fresh = models.filter((model) => !known.has(model));
      for (const model of fresh) watched.add(model);
      return fresh.length === 0 ? Promise.resolve() : refresh(fresh);
    },
    async close() {
      clearInterval(timer);
      await round;
    },
  };
}
