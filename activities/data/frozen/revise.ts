import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrozenSet } from '../../../contract/frozen.js';
import type { SnapshotManifest } from '../../../contract/snapshot.js';
import { digestOf } from '../../../domain/digest.js';
import { frozenManifest, rowsOf } from '../../../domain/frozen.js';
import type { ActivityDeps } from '../../deps.js';
import { literal } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import { newestRevision, readFrozen } from './open.js';

type Shard = SnapshotManifest['shards'][number];

interface Erasing {
  readonly deps: Pick<ActivityDeps, 'stores' | 'artifacts'>; readonly duck: Duck; readonly folder: string; readonly signal: AbortSignal;
  readonly erasure: { readonly id: string; readonly keyHash: string };
  /** The salted hash of `key`, as SQL. */
  readonly hashed: string;
  readonly holds: (file: Shard['file']) => Promise<boolean>;
}

/**
 * Makes a frozen test set anew where it holds the erased row: the same rows but for that one, under another digest, so that no figure of before
 * passes for one of after. A second try finds that the newest revision holds the row no more.
 */
export async function reviseFrozen(set: FrozenSet, erasing: Erasing): Promise<void> {
  const { deps: { stores, artifacts }, erasure, holds } = erasing;
  const manifest = await readFrozen({ artifacts }, set);
  const [shards, replaced]: [Shard[], string[]] = [[], []];
  for (const shard of manifest.shards) {
    if (await holds(shard.file)) {
      replaced.push(shard.file.sha256);
      shards.push(await withoutRow(shard, erasing));
    } else shards.push(shard);
  }
  if (replaced.length === 0) return;
  const made = frozenManifest(manifest, shards);
  const ref = await artifacts.putOnce(`frozen/${made.digest}/manifest.json`, new TextEncoder().encode(JSON.stringify(made)), { contentType: 'application/json' });
  await stores.frozen.revise({ model: set.model, name: set.name, revision: newestRevision(set).revision + 1, rows: { digest: made.digest, manifest: ref, rows: rowsOf(made.shards) }, erasure: erasure.id, replaced });
}

async function withoutRow(shard: Shard, { deps: { artifacts }, duck, folder, signal, erasure, hashed }: Erasing): Promise<Shard> {
  signal.throwIfAborted();
  const [from, to] = [join(folder, `${shard.file.sha256}.parquet`), join(folder, `${shard.file.sha256}-without.parquet`)];
  try {
    await artifacts.getToFile(shard.file, from);
    await duck.run(`copy (select * from read_parquet(${literal(from)}) where ${hashed} <> ${literal(erasure.keyHash)} order by key) to ${literal(to)} (format parquet, compression zstd)`);
    const [left] = await duck.rows<{ n: bigint }>(`select count(*) as n from read_parquet(${literal(to)})`);
    return { ...shard, rows: Number(left?.n ?? 0), digest: digestOf({ shard: shard.digest, without: erasure.keyHash }), file: await artifacts.putBlob(to) };
  } finally {
    await rm(from, { force: true });
    await rm(to, { force: true });
  }
}
