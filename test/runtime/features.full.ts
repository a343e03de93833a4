import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { Column } from '../../definition/columns.js';
import { Feature } from '../../definition/features.js';
import { fitFeatures } from '../../runtime/data/fit-features.js';
import { packSplit } from '../../runtime/data/pack.js';
import { createPreprocessor } from '../../runtime/preprocess.js';
import { writeSnapshot } from './support/snapshot.js';

const ROWS = 1_000_000;
const COLUMNS: Column[] = ['value', { name: 'gap', type: 'number', nullable: true }, { name: 'city', type: 'text', nullable: false }, { name: 'note', type: 'text', nullable: false }, { name: 'at', type: 'time', nullable: false }];
const MEBIBYTE = 1024 * 1024;

/** A snapshot of one shard, written by DuckDB: to hand over a million rows one by one would be what takes the time. */
async function large(folder: string): Promise<LocalSnapshot> {
  const row = { key: 'a', split: 'train' as const, label: 'no', values: [0, 0, 'a', 'a', '2026-01-31T08:00:00.000Z'] };
  const snapshot = await writeSnapshot(folder, [row], { classes: ['no', 'yes'], columns: COLUMNS, shards: 1 });
  const [shard] = snapshot.localShards;
  if (!shard) throw new Error('there is no shard');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' });
  const connection = await instance.connect();
  await connection.run(`copy (
    select printf('%08d', i) as key, 'train' as split, if(i % 2 = 0, 'no', 'yes') as label, '{}' as attributes, sin(i) * 1000 as value, case when i % 5 > 0 then hash(i) / 1e15 end as gap,
      'city ' || (hash(i) % 300) as city, 'note ' || i || ' of ' || (i % 97) as note, strftime(timestamp '2024-01-01' + to_milliseconds(i * 60_000), '%Y-%m-%dT%H:%M:%S.%gZ') as at
    from range(${ROWS}) r(i)) to '${shard.path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
  const { manifest } = snapshot;
  return { ...snapshot, manifest: { ...manifest, content: { ...manifest.content, shards: manifest.content.shards.map((own) => (own.split === 'train' ? { ...own, rows: ROWS } : own)) } } };
}

const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;

it('features of 1,000,000 rows are fitted and packed in memory that does not grow with the rows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-features-'));
  try {
    const snapshot = await large(folder);
    const before = peakMb();
    const features = [{ kind: 'number', column: 'value', scale: 'robust' }, { kind: 'number', column: 'gap', impute: { with: 'median' } }, { kind: 'bucket', column: 'value', quantiles: 100 }, { kind: 'words', column: 'note', buckets: 64 }];
    const startedAt = performance.now();
    const preprocessing = await fitFeatures(snapshot, features.map((feature) => Feature.parse(feature)), 1);
    const fittedAt = performance.now();
    const fittedMb = peakMb();
    const preprocessor = createPreprocessor(preprocessing);
    const { store } = await packSplit({ snapshot, split: 'train', preprocessor, directory: folder, budgetBytes: 64 * MEBIBYTE });
    console.log(`${preprocessor.width} numbers a row; fitted in ${Math.round(fittedAt - startedAt)} ms, packed in ${Math.round(performance.now() - fittedAt)} ms; peak ${Math.round(before)} MB before, ${Math.round(fittedMb)} MB fitted, ${Math.round(peakMb())} MB packed`);
    expect(store.rows).toBe(ROWS);
    expect(preprocessor.width).toBe(1 + 2 + 100 + 64 + 301 + 7);
    store.close();
    expect(fittedMb - before).toBeLessThan(300);
    expect(peakMb() - before).toBeLessThan(500);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 600_000);
