import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataProfile, SnapshotProfile } from '../../contract/data-profile.js';
import type { Ref } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { createProfileMerger } from '../../domain/profile/data-sketch.js';
import type { ActivityDeps } from '../deps.js';
import { putJson, readJson } from '../../stores/json-objects.js';
import type { BuiltRows, BuiltShard } from './rows.js';

/** Earlier snapshots of the model whose shards are looked through for the same rows. */
const EARLIER = 10;

export interface StoredShards { readonly shards: SnapshotManifest['shards']; readonly profile: SnapshotProfile }

/**
 * Stores the shards that are new, and profiles them on the way: a shard that an earlier snapshot has is neither written nor read again.
 * Shards are found by what they hold, so nothing of them is visible before a manifest names them.
 */
export async function storeShards({ deps, model, built, folder, signal, onShard }: {
  deps: ActivityDeps; model: string; built: BuiltRows; folder: string; signal: AbortSignal; onShard: (written: number) => void;
}): Promise<StoredShards> {
  const earlier = await earlierShards(deps, model);
  const shards: SnapshotManifest['shards'] = [];
  const parts: SnapshotProfile['parts'] = [];
  const merger = createProfileMerger();
  const take = ({ index, split, rows, digest }: BuiltShard, stored: StoredShard) => {
    merger.add(stored.profile);
    shards.push({ index, split, rows, digest, file: stored.file });
    parts.push({ shard: digest, profile: stored.ref });
    onShard(shards.length);
  };
  // One shard is sent and profiled while the next is written: DuckDB does the one, this process the other.
  let before: Promise<void> = Promise.resolve();
  try {
    for (const shard of built.shards) {
      signal.throwIfAborted();
      const known = earlier.get(shard.digest);
      const path = join(folder, `${shard.digest}.parquet`);
      const written = known?.profile ? Promise.resolve() : shard.write(path);
      await bothOf(written, before);
      before = (known?.profile ? readShard(deps, known.file, known.profile) : storeShard(deps, shard, known?.file, path)).then((stored) => { take(shard, stored); });
    }
  } finally {
    // Whatever failed, nothing is left under way.
    await Promise.allSettled([before]);
  }
  await before;
  return { shards, profile: { v: 1, profile: merger.profile(), parts } };
}

interface StoredShard { readonly file: Ref; readonly ref: Ref; readonly profile: DataProfile }

async function readShard({ artifacts }: ActivityDeps, file: Ref, ref: Ref): Promise<StoredShard> {
  return { file, ref, profile: DataProfile.parse(await readJson(artifacts, ref)) };
}

async function storeShard(deps: ActivityDeps, shard: BuiltShard, known: Ref | undefined, path: string): Promise<StoredShard> {
  try {
    const [file, profile] = await bothOf(known ? Promise.resolve(known) : deps.artifacts.putBlob(path), shard.profile(path));
    return { file, profile, ref: await putJson(deps.artifacts, profile) };
  } finally {
    await rm(path, { force: true });
  }
}

/** Waits for both also where one fails, so that neither is left under way. */
async function bothOf<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}

/** Files and profiles of shards by the digest of their rows: the same rows are stored once, also where another DuckDB would write other bytes. */
async function earlierShards({ stores, artifacts }: ActivityDeps, model: string): Promise<Map<string, { file: Ref; profile: Ref | null }>> {
  const files = new Map<string, { file: Ref; profile: Ref | null }>();
  for (const snapshot of await stores.snapshots.listFor(model, EARLIER)) {
    const { shards } = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
    const parts = snapshot.profile ? SnapshotProfile.parse(await readJson(artifacts, snapshot.profile.data)).parts : [];
    const profiles = new Map(parts.map(({ shard, profile }) => [shard, profile]));
    for (const { digest, file } of shards) files.set(digest, { file, profile: profiles.get(digest) ?? files.get(digest)?.profile ?? null });
  }
  return files;
}
