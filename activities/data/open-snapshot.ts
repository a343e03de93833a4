import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PerennialError } from '../../contract/errors.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { Ref } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { digestOf } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../../stores/json-objects.js';
import { sweep } from './workspace.js';

/** What training, evaluation and the test environment read: the manifest, and each shard's path on this machine. */
export type OpenSnapshot = LocalSnapshot;

/** A shard nobody opened for this long leaves the machine; S3 has it. */
const UNUSED_MS = 7 * 86_400_000;

/**
 * A snapshot's shards on this machine. They are kept in the scratch folder by their sha256, checked each time, and fetched again
 * when they are damaged; several processes may do so at once. `signal` stops between shards.
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
export async function fetchShards({ artifacts, scratch }: Pick<ActivityDeps, 'artifacts' | 'scratch'>, manifest: SnapshotManifest, signal?: AbortSignal): Promise<OpenSnapshot['localShards']> {
  const cache = join(scratch, 'shards');
  await mkdir(cache, { recursive: true });
  const localShards: OpenSnapshot['localShards'] = [];
  for (const { index, split, file } of manifest.shards) {
    signal?.throwIfAborted();
    const path = join(cache, `${file.sha256}.parquet`);
    if (await isWhole(path, file)) await utimes(path, new Date(), new Date());
    else await artifacts.getToFile(file, path);
    localShards.push({ index, split, path });
  }
  await sweep(cache, UNUSED_MS);
  return localShards;
}

async function isWhole(path: string, ref: Ref): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found?.size !== ref.bytes) return false;
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex') === ref.sha256;
}
