import { PerennialError } from '../../contract/errors.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { digestOf } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../../stores/json-objects.js';
import { cachedFiles } from './cached-files.js';

/** What training, evaluation and the test environment read: the manifest, and each shard's path on this machine. */
export type OpenSnapshot = LocalSnapshot;

/**
 * A snapshot's shards on this machine. `signal` stops between shards.
 * @throws PerennialError `data/missing` where there is no such snapshot, `data/erased` where it holds an erased row, `storage/*` where S3 does not give its files
 */
export async function openSnapshot({ stores, artifacts, scratch }: Pick<ActivityDeps, 'stores' | 'artifacts' | 'scratch'>, digest: string, signal?: AbortSignal): Promise<OpenSnapshot> {
  const snapshot = await stores.snapshots.get(digest);
  if (!snapshot || snapshot.blocked) throw new PerennialError('data/missing', `there is no snapshot ${digest}`, { digest });
  const erasures = await stores.erasures.marksOf(digest);
  if (erasures.length > 0) throw new PerennialError('data/erased', `snapshot ${digest} holds a row that was erased (${erasures.join(', ')})`, { digest, erasures });
  const manifest = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
  if (digestOf(manifest.content) !== digest) throw new PerennialError('storage/digest-mismatch', `the manifest of snapshot ${digest} describes another one`, { digest });
  return { manifest, localShards: await fetchShards({ artifacts, scratch }, manifest, signal) };
}

/** The shards of a manifest on this machine. */
export async function fetchShards(deps: Pick<ActivityDeps, 'artifacts' | 'scratch'>, manifest: SnapshotManifest, signal?: AbortSignal): Promise<OpenSnapshot['localShards']> {
  const paths = await cachedFiles(deps, manifest.shards.map(({ file }) => file), signal);
  return manifest.shards.map(({ index, split }, place) => ({ index, split, path: paths[place] ?? '' }));
}
