import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
const table = (location: string, more: Partial<Table> = {}): Table => ({
  kind: 'table', columns: ['size'], target: { task: 'regression', name: 'price' }, checks: { minimumRowsPerClass: 2 },
  sources: [{ kind: 'csv', location, path: '*.csv', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }], ...more,
});

/** Rows of a CSV file; `prices` are written as they are. */
async function build(prices: readonly string[], more: Partial<Table> = {}, lineOf = (price: string, index: number) => `h${index},${index}.5,${price}`) {
  const place = await stack.locate();
  await writeFile(join(place.root, 'rows.csv'), ['id,size,price', ...prices.map(lineOf)].join('\n'));
  return (await stack.define(table(place.name, more))).build();
}
const PRICES = Array.from({ length: 40 }, (_, index) => `${index / 8 + 1e-3}`);

describe('a snapshot of a table whose target is a number', () => {
  it('keeps the target as a double, counts no classes, and is the same however the numbers are written', async () => {
    const built = await build(PRICES);
    expect(built).toMatchObject({ blocked: false, rows: 40, counts: { byClass: {} }, report: { findings: [] } });
    const { manifest, localShards } = await openSnapshot(stack.deps, built.digest);
    expect(manifest.content.target).toEqual({ task: 'regression', name: 'price' });
    const kept = await query(`select key, label from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}])`);
    expect(new Map(kept.map(({ key, label }) => [key, label]))).toEqual(new Map(PRICES.map((price, index) => [`h${index}`, Number(price)])));
    const written = await build(PRICES.map((price) => ` ${Number(price).toExponential(17)}`));
    const { manifest: other } = await openSnapshot(stack.deps, written.digest);
    expect(other.content.shards.map(({ digest }) => digest)).toEqual(manifest.content.shards.map(({ digest }) => digest));
  });

  it('is blocked by a target that is text, NaN, infinite or missing; rows and what was found are named', async () => {
    const built = await build(['abc', 'nan', 'inf', '', ...PRICES]);
    expect(built).toMatchObject({ blocked: true, report: { findings: [{ check: 'not-a-number', severity: 'block', count: 4, message: 'the target price has to be a finite number' }] } });
    expect(built.report.findings[0]?.rows).toEqual(['h0 (rows.csv line 2): abc', 'h1 (rows.csv line 3): nan', 'h2 (rows.csv line 4): inf', 'h3 (rows.csv line 5): nothing']);
    expect(await build(['abc', ...PRICES], { checks: { minimumRowsPerClass: 2, unreadable: 'drop' } })).toMatchObject({ blocked: false, rows: 40 });
  });

  it('is blocked by a constant target, too few rows or no test row', async () => {
    expect(await build(PRICES.map(() => '7.50'))).toMatchObject({ blocked: true, report: { findings: [{ check: 'constant-target', severity: 'block', message: expect.stringMatching(/^the target price has to vary; it is 7\.5 in all \d+ training rows$/) as string }] } });
    expect(await build(PRICES, { checks: { minimumRowsPerClass: 41 } })).toMatchObject({ blocked: true, report: { findings: [{ check: 'too-few-rows', message: expect.stringMatching(/training rows; at least 41 are needed$/) as string }] } });
    expect(await build(PRICES, { sources: [{ kind: 'csv', location: (await stack.locate()).name, path: '*.csv', key: 'id', split: 'train' }] })).toMatchObject({ blocked: true });
  });

  it('may be expected to be like a number', async () => {
    const blocked = await build(PRICES, { expectations: [{ kind: 'between', column: 'price', max: 3 }] });
    expect(blocked).toMatchObject({ blocked: true, report: { expectations: [{ passed: false, missed: PRICES.filter((price) => Number(price) > 3).length }] } });
  });

  it('names a key that has two targets', async () => {
    const built = await build([...PRICES, '99'], {}, (price, index) => `h${index % 40},1,${price}`);
    expect(built).toMatchObject({ blocked: true, report: { findings: [{ check: 'conflicting-label', message: 'one key with two targets', count: 2 }] } });
  });
});
