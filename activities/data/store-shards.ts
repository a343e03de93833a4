import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DataProfile, SnapshotProfile } from '../../contract/data-profile.js';
import type { Ref } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import type { Data } from '../../definition/data.js';
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
 * Stores the shards that are new, and profiles them on the way: a shard whose digest is known before it is written, and that an earlier snapshot has, is neither written nor read again;
 * one that turns out to be known when it was read is not sent again. Shards are found by what they hold, so nothing of them is visible before a manifest names them.
 */
export async function storeShards({ deps, model, data, built, folder, signal, onShard }: {
  deps: ActivityDeps; model: string; data: Pick<Data, 'target'>; built: BuiltRows; folder: string; signal: AbortSignal; onShard: (written: number) => void;
}): Promise<StoredShards> {
  const earlier = await earlierShards(deps, model);
  const shards: SnapshotManifest['shards'] = [];
  const parts: SnapshotProfile['parts'] = [];
  const merger = createProfileMerger();
  const underWay = new Set<Promise<unknown>>();
  const store = async (shard: BuiltShard) => {
    signal.throwIfAborted();
    const stored = knownShard(deps, data, shard, earlier).then((known) => known ?? storeShard(deps, shard, earlier, join(folder, `shard-${shard.index}.parquet`)));
    underWay.add(stored);
    try {
      return { shard, stored: await stored };
    } finally {
      underWay.delete(stored);
    }
  };
  try {
    // Writing a shard is one thread's work, and so is profiling it.
    for await (const { shard: { index, split, rows }, stored: { digest, file, profile, ref } } of mapInOrder(built.shards, UNDER_WAY, store)) {
      merger.add(profile);
      shards.push({ index, split, rows, digest, file });
      parts.push({ shard: digest, profile: ref });
      onShard(shards.length);
    }
  } finally {
    // Whatever failed, nothing is left under way.
    await Promise.allSettled(underWay);
  }
  return { shards, profile: { v: 1, profile: merger.profile(), parts } };
}

interface StoredShard { readonly digest: string; readonly file: Ref; readonly ref: Ref; readonly profile: DataProfile }

/** What an earlier snapshot has of these rows. Their profile is of its own target: where the definition has another one by now, they are profiled again. */
async function knownShard({ artifacts }: ActivityDeps, { target }: Pick<Data, 'target'>, { digest }: BuiltShard, { shards }: EarlierShards): Promise<StoredShard | null> {
  const known = digest === null ? undefined : shards.get(digest);
  if (digest === null || !known?.profile) return null;
  const profile = DataProfile.parse(await readJson(artifacts, known.profile));
  const classes = target.task === 'regression' ? null : target.classes;
  const isOfTarget = profile.target.name === target.name && isDeepStrictEqual(profile.target.classes?.map(({ name }) => name) ?? null, classes);
  return isOfTarget ? { digest, file: known.file, ref: known.profile, profile } : null;
}

async function storeShard(deps: ActivityDeps, shard: BuiltShard, earlier: EarlierShards, path: string): Promise<StoredShard> {
  try {
    await shard.write(path);
    const read = shard.read(path);
    // What may be there already is sent once that is known; what cannot be, meanwhile.
    const file = async () => {
      const digest = shard.digest ?? (earlier.sizes.has(sizeOf(shard)) ? (await read).digest : null);
      return (digest === null ? undefined : earlier.shards.get(digest)?.file) ?? deps.artifacts.putBlob(path);
    };
    const [{ digest, profile }, stored] = await bothOf(read, file());
    return { digest, file: stored, profile, ref: await putJson(deps.artifacts, profile) };
  } finally {
    await rm(path, { force: true });
  }
}

interface EarlierShards {
  /** Files and profiles by the digest of their rows: the same rows are stored once, also where another DuckDB would write other bytes. */
  readonly shards: ReadonlyMap<string, { readonly file: Ref; readonly profile: Ref | null }>;
  /** Of the same rows there are as many. */
  readonly sizes: ReadonlySet<string>;
}

const sizeOf = ({ split, rows }: Pick<BuiltShard, 'split' | 'rows'>) => `${split}/${rows}`;

async function earlierShards({ stores, artifacts }: ActivityDeps, model: string): Promise<EarlierShards> {
  const files = new Map<string, { file: Ref; profile: Ref | null }>();
  const sizes = new Set<string>();
  for (const snapshot of await stores.snapshots.listFor(model, EARLIER)) {
    const { shards } = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
    const parts = snapshot.profile ? SnapshotProfile.parse(await readJson(artifacts, snapshot.profile.data)).parts : [];
    const profiles = new Map(parts.map(({ shard, profile }) => [shard, profile]));
    for (const shard of shards) {
      files.set(shard.digest, { file: shard.file, profile: profiles.get(shard.digest) ?? files.get(shard.digest)?.profile ?? null });
      sizes.add(sizeOf(shard));
    }
  }
  return { shards: files, sizes };
}
