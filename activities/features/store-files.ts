import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeatureFile, FeatureManifest } from '../../contract/feature-store.js';
import type { FeatureView } from '../../definition/feature-view.js';
import { cachedFiles } from '../data/cached-files.js';
import { identifier, literal } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { microsecondSql } from '../data/event-time.js';
import type { ActivityDeps } from '../deps.js';
import { keysSql, storedColumns, workingColumns } from './columns.js';

/** A file stops growing here. */
const MOST_ROWS = 4_000_000;

/**
 * Stores the rows of `fresh` as one more file. Files before it that are not more than twice as large are taken into it, so that there are
 * few, and each row is written again a few times only (the logarithmic method: Bentley and Saxe, 1980). The same rows
 * give the same bytes.
 */
export async function storeFiles(duck: Duck, deps: ActivityDeps, { view, manifest, fresh, folder, signal }: { view: FeatureView; manifest: FeatureManifest; fresh: number; folder: string; signal: AbortSignal }): Promise<FeatureManifest> {
  if (fresh === 0) return manifest;
  const files = [...manifest.files];
  const taken: FeatureFile[] = [];
  let rows = fresh;
  for (let last = files.at(-1); last && last.rows <= 2 * rows && last.rows + rows <= MOST_ROWS; last = files.at(-1)) {
    taken.push(last);
    files.pop();
    rows += last.rows;
  }
  const paths = await cachedFiles(deps, taken.map(({ file }) => file), signal);
  const path = join(folder, 'rows.parquet');
  const all = [`select ${storedColumns(view)} from fresh`, ...(paths.length === 0 ? [] : [`select ${storedColumns(view)} from (select ${workingColumns(view)} from read_parquet([${paths.map(literal).join(', ')}]))`])].join(' union all ');
  const order = view.entity.map(({ name }) => identifier(name)).join(', ');
  // One thread, so that the same rows give the same bytes.
  const [threads] = await duck.rows<{ n: number | bigint }>('select current_setting(\'threads\') as n');
  await duck.run('set threads = 1');
  try {
    await duck.run(`copy (select * from (${all}) order by ${order}, event_time, known_time) to ${literal(path)} (format parquet, compression zstd)`);
    const [span] = await duck.rows<{ first: string; last: string }>(`select ${microsecondSql('min(event_time)')} as first, ${microsecondSql('max(event_time)')} as last from read_parquet(${literal(path)})`);
    if (!span) throw new Error('a file of rows has no rows');
    return { ...manifest, rows: manifest.rows + fresh, files: [...files, { rows, from: span.first, to: span.last, file: await deps.artifacts.putBlob(path) }] };
  } finally {
    await duck.run(`set threads = ${Number(threads?.n ?? 1)}`);
    await rm(path, { force: true });
  }
}

/** Makes the table `newest` of the newest of the new rows of each key, numbered from 0. Returns how many. */
export async function findNewest(duck: Duck, view: FeatureView): Promise<number> {
  await duck.run(`create or replace table newest as select row_number() over () - 1 as place, * from (select * from fresh qualify row_number() over (partition by ${keysSql(view)} order by event_time desc, known_time desc) = 1)`);
  const [row] = await duck.rows<{ n: bigint }>('select count(*) as n from newest');
  return Number(row?.n ?? 0);
}
