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
  for (const shard of built.shards) {
    signal.throwIfAborted();
    const { index, split, rows, digest } = shard;
    const known = earlier.get(digest);
    const stored = known?.profile ? { file: known.file, ref: known.profile, profile: DataProfile.parse(await readJson(deps.artifacts, known.profile)) } : await storeShard(deps, shard, known?.file, folder);
    merger.add(stored.profile);
    shards.push({ index, split, rows, digest, file: stored.file });
    parts.push({ shard: digest, profile: stored.ref });
    onShard(shards.length);
  }
  return { shards, profile: { v: 1, profile: merger.profile(), parts } };
}

async function storeShard(deps: ActivityDeps, shard: BuiltShard, known: Ref | undefined, folder: string): Promise<{ file: Ref; ref: Ref; profile: DataProfile }> {
  const path = join(folder, `${shard.digest}.parquet`);
  try {
    await shard.write(path);
    const sent = known ? Promise.resolve(known) : deps.artifacts.putBlob(path);
    // Whichever fails, neither is left under way.
    const [file, profile] = await Promise.allSettled([sent, shard.profile(path)]);
    if (file.status === 'rejected') throw file.reason;
    if (profile.status === 'rejected') throw profile.reason;
    return { file: file.value, profile: profile.value, ref: await putJson(deps.artifacts, profile.value) };
  } finally {
    await rm(path, { force: true });
  }
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
