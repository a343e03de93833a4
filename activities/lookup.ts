import { PerennialError } from '../contract/errors.js';
import type { Stores } from '../stores/index.js';

/** The run, or `run/unknown`. */
export async function requireRun(stores: Stores, id: string) {
  const run = await stores.runs.get(id);
  if (!run) throw new PerennialError('run/unknown', `there is no run ${id}`);
  return run;
}

/** The definition of a model at a commit, or `model/unknown`. */
export async function requireDefinition(stores: Stores, model: string, commit: string) {
  const found = await stores.models.definition(model, commit);
  if (!found) throw new PerennialError('model/unknown', `model ${model} has no accepted definition at commit ${commit.slice(0, 12)}`);
  return found;
}

/** The version, or `version/unknown`: nothing unregistered can be served. */
export async function requireVersion(stores: Stores, model: string, version: number) {
  const found = await stores.versions.get(model, version);
  if (!found) throw new PerennialError('version/unknown', `${model}@${version} was never registered`);
  return found;
}
