import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataProfile, SnapshotProfile } from '../../contract/data-profile.js';
import type { Ref } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { createProfileMerger } from '../../domain/profile/data-sketch.js';
import type { ActivityDeps } from '../deps.js';
import { putJson, readJson } from '../../stores/json-objects.js';
import { bothOf } from './both.js';
import { mapInOrder } from './ordered.js';
import type { BuiltRows, BuiltShard } from './rows.js';

/** Earlier snapshots of the model whose shards are looked through for the same rows. */
const EARLIER = 10;
/** Shards that are written, sent or profiled at a time. */
const UNDER_WAY = 3;

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
  const underWay = new Set<Promise<unknown>>();
  const store = async (shard: BuiltShard) => {
    signal.throwIfAborted();
    const known = earlier.get(shard.digest);
    const stored = known?.profile ? readShard(deps, known.file, known.profile) : storeShard(deps, shard, known?.file, join(folder, `${shard.digest}.parquet`));
    underWay.add(stored);
    try {
      return { shard, stored: await stored };
    } finally {
      underWay.delete(stored);
    }
  };
  try {
    // Writing a shard is one thread's work, and so is profiling it.
    for await (const { shard: { index, split, rows, digest }, stored } of mapInOrder(built.shards, UNDER_WAY, store)) {
      merger.add(stored.profile);
      shards.push({ index, split, rows, digest, file: stored.file });
      parts.push({ shard: digest, profile: stored.ref });
      onShard(shards.length);
    }
  } finally {
    // Whatever failed, nothing is left under way.
    await Promise.allSettled(underWay);
  }
  return { shards, profile: { v: 1, profile: merger.profile(), parts } };
}

interface StoredShard { readonly file: Ref; readonly ref: Ref; readonly profile: DataProfile }

async function readShard({ artifacts }: ActivityDeps, file: Ref, ref: Ref): Promise<StoredShard> {
  return { file, ref, profile: DataProfile.parse(await readJson(artifacts, ref)) };
}

async function storeShard(deps: ActivityDeps, shard: BuiltShard, known: Ref | undefined, path: string): Promise<StoredShard> {
  try {
    await shard.write(path);
    const [file, profile] = await bothOf(known ? Promise.resolve(known) : deps.artifacts.putBlob(path), shard.profile(path));
    return { file, profile, ref: await putJson(deps.artifacts, profile) };
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
