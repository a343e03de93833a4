import { z } from 'zod';
import type { Database } from '../stores/database.js';
import { LogPolicy, POLICIES_CHANNEL, ServingPolicy, type ModelsStore } from '../stores/models.js';
import { openStateFile } from './state-file.js';
import { watchTable } from './watched-table.js';

const PoliciesFile = z.strictObject({ v: z.literal(1), models: z.record(z.string(), ServingPolicy) });

/** Of a model whose policy could not be read yet: what the log may keep is not known, so neither inputs nor outputs are. */
const UNKNOWN: ServingPolicy = { log: LogPolicy.parse({ inputs: { share: 0 }, outputs: { redact: ['class', 'probabilities', 'value'] } }), decimals: null, guardrails: [], expectations: [], explanations: null };

export interface ServingPoliciesOptions {
  readonly database: Pick<Database, 'listen'>;
  readonly models: Pick<ModelsStore, 'servingPolicies'>;
  /** The file that helps a start while PostgreSQL is away. */
  readonly path: string;
  readonly pollMs?: number;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface ServingPolicies {
  /** The same object until the policy is another one. */
  of(model: string): ServingPolicy;
  /** Resolves when the policies of these models were read, or cannot be. */
  learn(models: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** What the definitions in force say of serving: read when another one comes into force. */
export async function openServingPolicies({ database, models, path, pollMs = 5_000, onProblem }: ServingPoliciesOptions): Promise<ServingPolicies> {
  const file = await openStateFile(path, PoliciesFile, { v: 1, models: {} });
  const read = new Set<string>();

  const table = watchTable({
    database, channel: POLICIES_CHANNEL, concerns: () => true, pollMs, name: 'policies of serving', onProblem,
    async read() {
      const found = await models.servingPolicies();
      const changed = Object.entries(found).filter(([model, policy]) => JSON.stringify(file.value.models[model]) !== JSON.stringify(policy));
      Object.assign(file.value.models, Object.fromEntries(changed));
      for (const model of Object.keys(found)) read.add(model);
      if (changed.length > 0) file.save().catch((error: unknown) => { onProblem('the policies of serving could not be written', error); });
    },
  });

  return {
    of: (model) => file.value.models[model] ?? UNKNOWN,
    learn: (asked) => (asked.every((model) => read.has(model)) ? Promise.resolve() : table.readAgain()),
    close: () => table.close(),
  };
}
