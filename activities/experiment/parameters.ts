import type { ParameterValue } from '../../contract/experiment.js';
import { ModelDefinition } from '../../definition/model.js';

/** Fields that may be set although a definition leaves them out. */
const OPTIONAL = new Set(['training.threads']);

export type Changed = { readonly ok: true; readonly definition: ModelDefinition } | { readonly ok: false; readonly problems: string[] };

/** A definition with other parameters. Each has to be a field that is there, but for `training.hyperparameters`, and the whole has to be a definition still. */
export function withParameters(definition: ModelDefinition, parameters: Readonly<Record<string, ParameterValue>>): Changed {
  const changed = structuredClone(definition) as unknown as Record<string, unknown>;
  const problems: string[] = [];
  for (const [path, value] of Object.entries(parameters)) {
    const steps = path.split('.');
    const last = steps.pop() ?? '';
    let place: unknown = changed;
    for (const step of steps) place = isHolder(place) && Object.hasOwn(place, step) ? place[step] : undefined;
    const free = steps.join('.') === 'training.hyperparameters';
    if (!isHolder(place) || (!free && !Object.hasOwn(place, last) && !OPTIONAL.has(path))) problems.push(`${path}: the definition has no such field`);
    else place[last] = value;
  }
  if (problems.length > 0) return { ok: false, problems };
  const parsed = ModelDefinition.safeParse(changed);
  return parsed.success ? { ok: true, definition: parsed.data } : { ok: false, problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
}

const isHolder = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
