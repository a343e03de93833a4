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
    const content = contentOf(model, data, built, views);
    const localShards = built.shards.map(({ index, split, digest }) => ({ index, split, path: join(folder, `${index}-${digest}.parquet`) }));
    for (const [index, shard] of built.shards.entries()) await shard.write(localShards[index]?.path ?? '');
    const manifest: SnapshotManifest = {
      v: 1, digest: digestOf(content), content, counts: built.counts, sources: built.sources,
      shards: built.shards.map(({ index, split, rows: ofShard, digest }) => ({ index, split, rows: ofShard, digest, file: { uri: `s3://nowhere/${digest}`, sha256: digest, bytes: 0 } })),
    };
    return { snapshot: { manifest, localShards }, report: findings.report(), rows: built.rows };
  } finally {
    await built.close();
  }
}
