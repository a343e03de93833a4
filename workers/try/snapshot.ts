import { join } from 'node:path';
import { Findings } from '../../activities/data/findings.js';
import { listSources } from '../../activities/data/listing.js';
import { openViews } from '../../activities/features/open-views.js';
import { buildPictures } from '../../activities/data/pictures.js';
import { pseudonymsFor } from '../../activities/data/personal/pseudonyms-for.js';
import { contentOf } from '../../activities/data/save.js';
import { buildTable } from '../../activities/data/tables.js';
import type { ActivityDeps } from '../../activities/deps.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { DataReport, SnapshotManifest } from '../../contract/snapshot.js';
import type { ModelDefinition } from '../../definition/model.js';
import { digestOf } from '../../domain/digest.js';
import { sampleSources } from './sample.js';

export interface SampleSnapshot { readonly snapshot: LocalSnapshot; readonly report: DataReport; readonly rows: number }

/** A snapshot of a sample in a folder of this machine: the same reading and checks as a run's, and nothing stored. */
export async function buildSample({ deps, definition, code, rows, folder, signal }: { deps: ActivityDeps; definition: ModelDefinition; /** The bundle of the definition's file. */ code: Uint8Array; rows: number; folder: string; signal: AbortSignal }): Promise<SampleSnapshot> {
  const { name: model, data } = definition;
  const findings = new Findings();
  const sources = sampleSources(await listSources({ deps, model, data, findings }), definition, rows);
  const views = await openViews(deps, data, findings);
  const common = { deps, model, findings, sources, views, folder, signal, onRows: () => undefined, boundariesOf: () => Promise.resolve(null), definitionCode: () => Promise.resolve(code), erased: null, frozen: [], pseudonyms: await pseudonymsFor(deps, model, data) };
  const built = data.kind === 'images' ? await buildPictures({ ...common, data }) : await buildTable({ ...common, data });
  try {
    const [shards, localShards]: [SnapshotManifest['shards'], LocalSnapshot['localShards'][number][]] = [[], []];
    for (const { index, split, rows: ofShard, digest: known, write, read } of built.shards) {
      const path = join(folder, `shard-${index}.parquet`);
      await write(path);
      const digest = known ?? (await read(path)).digest;
      shards.push({ index, split, rows: ofShard, digest, file: { uri: `s3://nowhere/${digest}`, sha256: digest, bytes: 0 } });
      localShards.push({ index, split, path });
    }
    const content = contentOf(model, data, { ...built, shards }, views);
    const manifest: SnapshotManifest = { v: 1, digest: digestOf(content), content, counts: built.counts, sources: built.sources, shards };
    return { snapshot: { manifest, localShards }, report: findings.report(), rows: built.rows };
  } finally {
    await built.close();
  }
}
