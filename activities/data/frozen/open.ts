import { PerennialError } from '../../../contract/errors.js';
import type { FrozenRevision, FrozenSet } from '../../../contract/frozen.js';
import { SnapshotManifest } from '../../../contract/snapshot.js';
import type { Data } from '../../../definition/data.js';
import { digestOf } from '../../../domain/digest.js';
import { readJson } from '../../../stores/json-objects.js';
import type { ActivityDeps } from '../../deps.js';
import { fetchShards } from '../open-snapshot.js';
import type { OpenSnapshot } from '../open-snapshot.js';
import { misfits } from './misfits.js';

type Parts = Pick<ActivityDeps, 'stores' | 'artifacts' | 'scratch'>;

/** A frozen test set on this machine: its rows are the test split of a snapshot that has no other. */
export interface OpenFrozenSet extends OpenSnapshot { readonly name: string }

/** The rows of a set as they are now. */
export function newestRevision({ model, name, revisions }: FrozenSet): FrozenRevision {
  const newest = revisions.at(-1);
  if (!newest) throw new Error(`the frozen test set ${name} of ${model} has no rows`);
  return newest;
}

/** The set, or `test-set/unknown`. */
export async function requireFrozenSet({ stores }: Pick<Parts, 'stores'>, model: string, name: string): Promise<FrozenSet> {
  const set = await stores.frozen.get(model, name);
  if (!set) throw new PerennialError('test-set/unknown', `evaluation.frozen: ${model} has no frozen test set ${name}`, { model, name });
  return set;
}

/**
 * Checks that candidates of a definition can be measured on every set that it names.
 * @throws PerennialError `test-set/unknown`, `test-set/misfit`, or `storage/*` where a set's manifest cannot be read
 */
export async function requireFittingSets(parts: Pick<Parts, 'stores' | 'artifacts'>, { name: model, data, evaluation }: { readonly name: string; readonly data: Data; readonly evaluation: { readonly frozen?: readonly string[] | undefined } }): Promise<void> {
  for (const name of evaluation.frozen ?? []) {
    const found = misfits(data, (await readFrozen(parts, await requireFrozenSet(parts, model, name))).content);
    if (found.length > 0) throw new PerennialError('test-set/misfit', `evaluation.frozen: candidates of ${model} cannot be measured on the frozen test set ${name}: ${found.join('; ')}`, { model, name });
  }
}

/** What the set's rows are now; its digests are checked. */
export async function readFrozen({ artifacts }: Pick<Parts, 'artifacts'>, set: FrozenSet): Promise<SnapshotManifest> {
  const { digest, manifest } = newestRevision(set);
  return named(set, async () => {
    const read = SnapshotManifest.parse(await readJson(artifacts, manifest));
    if (read.digest !== digest || digestOf(read.content) !== digest) throw new PerennialError('storage/digest-mismatch', `its manifest describes other rows than ${digest}`, { digest });
    return read;
  });
}

/** Fetches the rows; every file is checked by its sha256. `storage/*` names the set, so that it is clear what is gone. */
export async function openFrozen(parts: Pick<Parts, 'artifacts' | 'scratch'>, set: FrozenSet, signal?: AbortSignal): Promise<OpenFrozenSet> {
  const manifest = await readFrozen(parts, set);
  return { name: set.name, manifest, localShards: await named(set, () => fetchShards(parts, manifest, signal)) };
}

async function named<T>({ model, name }: FrozenSet, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PerennialError) || !error.code.startsWith('storage/')) throw error;
    throw new PerennialError(error.code, `the frozen test set ${name} of ${model} cannot be read: ${error.message}`, { ...error.details, model, name }, { cause: error });
  }
}
