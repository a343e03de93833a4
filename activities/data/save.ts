import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import type { Ref } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import type { DataReport } from '../../contract/snapshot.js';
import { shortColumn } from '../../definition/columns.js';
import type { Data } from '../../definition/data.js';
import { digestOf } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../json.js';
import type { BuiltRows } from './rows.js';

/** Earlier snapshots of the model whose shards are looked through for the same rows. */
const EARLIER = 10;

export interface SavedSnapshot { readonly digest: string; readonly manifest: Ref; readonly rows: number; readonly counts: SnapshotManifest['counts']; readonly known: boolean }

/**
 * Writes the shards that are new, then the manifest, then the row: who finds the row finds everything. Rows that are a known
 * snapshot already write only their newest report.
 */
export async function saveSnapshot({ deps, model, data, built, report, folder, signal, onShard }: {
  deps: ActivityDeps; model: string; data: Data; built: BuiltRows; report: DataReport; folder: string; signal: AbortSignal; onShard: (written: number) => void;
}): Promise<SavedSnapshot> {
  const { stores } = deps;
  await fixBoundaries(stores, model, built);
  const content = contentOf(model, data, built);
  const digest = digestOf(content);
  const known = await stores.snapshots.get(digest);
  if (known) {
    await stores.snapshots.save({ ...known, report, blocked: false });
    return { digest, manifest: known.manifest, rows: known.rows, counts: known.counts, known: true };
  }
  const earlier = await earlierShards(deps, model);
  const shards: SnapshotManifest['shards'] = [];
  for (const shard of built.shards) {
    signal.throwIfAborted();
    const { index, split, rows } = shard;
    shards.push({ index, split, rows, digest: shard.digest, file: earlier.get(shard.digest) ?? await storeShard(deps, shard, folder) });
    onShard(shards.length);
  }
  const manifest: SnapshotManifest = { v: 1, digest, content, shards, counts: built.counts, sources: built.sources, ...(built.boundaries?.length ? { boundaries: built.boundaries.map(({ fixed: _, ...one }) => one) } : {}) };
  const ref = await deps.artifacts.putOnce(`snapshots/${digest}/manifest.json`, new TextEncoder().encode(JSON.stringify(manifest)), { contentType: 'application/json' });
  await stores.snapshots.save({ digest, model, manifest: ref, rows: built.rows, counts: built.counts, report, blocked: false });
  return { digest, manifest: ref, rows: built.rows, counts: built.counts, known: false };
}

/** Makes boundaries of times those of all later snapshots. Where another build was first, this one has divided its rows by others: it is tried again. */
async function fixBoundaries({ splitBoundaries }: ActivityDeps['stores'], model: string, { boundaries = [] }: BuiltRows): Promise<void> {
  for (const { rule, column, validationFrom, testFrom } of boundaries.filter(({ fixed }) => !fixed)) {
    const held = await splitBoundaries.fix({ model, rule, validationFrom, testFrom });
    if (held.validationFrom !== validationFrom || held.testFrom !== testFrom) throw new PerennialError('data/changed', `another snapshot of ${model} has meanwhile fixed from which ${column} on rows are test rows`, { column });
  }
}

/** What a snapshot is named by. */
export function contentOf(model: string, data: Data, built: Pick<BuiltRows, 'shards'>): SnapshotManifest['content'] {
  return {
    kind: data.kind, model, target: { name: data.target.name, classes: data.target.classes },
    ...(data.kind === 'images' ? { image: data.image } : { columns: data.columns.map(shortColumn) }),
    shards: built.shards.map(({ index, split, rows, digest }) => ({ index, split, rows, digest })),
  };
}

async function storeShard(deps: ActivityDeps, shard: BuiltRows['shards'][number], folder: string): Promise<Ref> {
  const file = join(folder, `${shard.digest}.parquet`);
  try {
    await shard.write(file);
    return await deps.artifacts.putBlob(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** Files of shards by the digest of their rows: the same rows are stored once, also where another DuckDB would write other bytes. */
async function earlierShards({ stores, artifacts }: ActivityDeps, model: string): Promise<Map<string, Ref>> {
  const files = new Map<string, Ref>();
  for (const snapshot of await stores.snapshots.listFor(model, EARLIER)) {
    const { shards } = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
    for (const { digest, file } of shards) files.set(digest, file);
  }
  return files;
}
