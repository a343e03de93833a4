import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataStack } from './support/data.js';
import type { Data, DataStack } from './support/data.js';
import { softPicture } from '../support/pictures.js';
import { generator } from '../support/random.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
interface Row { readonly id: string; readonly outcome: string; readonly [column: string]: string | number }

const csv = (rows: readonly Row[]) => [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))].map((line) => line.join(',')).join('\n');

/** 400 training and 100 test rows of two numbers, with whatever `change` makes of each. */
const rowsOf = (seed: number, change: (row: Row, index: number) => Row = (row) => row) => {
  const next = generator(seed);
  return Array.from({ length: 500 }, (_, index) => change({ id: `row-${String(index).padStart(3, '0')}`, outcome: next() < 0.5 ? 'yes' : 'no', a: next(), b: Math.round(next() * 1000) }, index));
};

async function findings(rows: readonly Row[], more: Partial<Table> = {}) {
  const place = await stack.locate();
  await place.put('train.csv', csv(rows.slice(0, 400)));
  await place.put('test.csv', csv(rows.slice(400)));
  const { build } = await stack.define({
    kind: 'table', columns: ['a', 'b'], target: { name: 'outcome', classes: ['no', 'yes'] },
    sources: [{ kind: 'csv', location: place.name, path: 'train.csv', key: 'id', split: 'train' }, { kind: 'csv', location: place.name, path: 'test.csv', key: 'id', split: 'test' }],
    ...more,
  });
  const { report, blocked } = await build();
  return { blocked, found: report.findings };
}

describe('copies of test rows', () => {
  const copied = () => rowsOf(1, (row, index) => (index === 401 ? { ...row, a: 0.125, b: 7 } : index === 3 || index === 250 ? { ...row, a: 0.125, b: 7 } : row));

  it('among rows that train are reported with both rows, and block where the definition says so', async () => {
    const { blocked, found } = await findings(copied());
    expect(blocked).toBe(false);
    expect(found).toEqual([{ check: 'across-splits', severity: 'warn', count: 2, message: 'rows that train or validate have the values of a test row, under another key', rows: ['row-003 (train) = row-401 (test)'] }]);
    expect(await findings(copied(), { leakage: { acrossSplits: 'block' } })).toMatchObject({ blocked: true, found: [{ check: 'across-splits', severity: 'block' }] });
    expect((await findings(copied(), { leakage: { acrossSplits: 'off' } })).found).toEqual([]);
  });

  it('are none where the columns have so few values that rows agree by chance', async () => {
    const next = generator(5);
    expect((await findings(rowsOf(2, (row) => ({ ...row, a: Math.floor(next() * 3), b: Math.floor(next() * 4) })))).found).toEqual([]);
  });
});

describe('columns that tell the target', () => {
  it('are reported by name, whether equal, a function of it or rising with it; good columns are not', async () => {
    const next = generator(9);
    const rows = rowsOf(3, (row) => {
      const yes = row.outcome === 'yes' ? 1 : 0;
      return { ...row, b: Number(row['b']) + 900 * yes, paid: yes ? 10 + next() : next(), state: yes ? 'closed' : next() < 0.5 ? 'open' : 'new', when: `2025-0${yes ? 6 : 3}-1${Math.floor(next() * 9)}` };
    });
    const columns: Table['columns'] = ['a', 'b', 'paid', { name: 'state', type: 'text' }, { name: 'when', type: 'time' }];
    const { blocked, found } = await findings(rows, { columns });
    expect(blocked).toBe(false);
    expect(found.map(({ check, severity, rows: named }) => [check, severity, ...named])).toEqual([['target-leak', 'warn', 'paid'], ['target-leak', 'warn', 'state'], ['target-leak', 'warn', 'when']]);
    expect(found[0]?.message).toMatch(/^the column paid alone tells outcome: of 250 rows that were kept aside it gets each right, where the most frequent class is wrong on 1\d\d; is it known before the target is\?$/);
    expect(await findings(rows, { columns, leakage: { columns: 'block' } })).toMatchObject({ blocked: true });
    expect((await findings(rows, { columns, leakage: { columns: 'off' } })).found).toEqual([]);
    expect((await findings(rows, { leakage: { share: 0.8 } })).found).toMatchObject([{ check: 'target-leak', rows: ['b'] }]);
  });

  it('are reported of a number as well', async () => {
    const next = generator(11);
    const rows = rowsOf(4, (row) => {
      const price = Math.round(1e5 * Number(row['a']) + 2e4 * next());
      return { ...row, outcome: String(price), tax: price * 0.19 + next() };
    });
    const { found } = await findings(rows, { columns: ['a', 'b', 'tax'], target: { task: 'regression', name: 'outcome' } });
    expect(found).toMatchObject([{ check: 'target-leak', severity: 'warn', rows: ['tax'] }]);
    expect(found[0]?.message).toMatch(/^the column tax alone tells outcome: on 250 rows that were kept aside it takes away 9\d\.\d% of the error of always saying the median; is it known before the target is\?$/);
  });
});

describe('pictures that look alike', () => {
  const SIZE = 32;
  const png = (data: Uint8Array) => encode({ width: SIZE, height: SIZE, channels: 3, depth: 8, data });

  async function pictures(leakage: Extract<Data, { kind: 'images' }>['leakage'] = {}) {
    const next = generator(21);
    const place = await stack.locate();
    const all = Array.from({ length: 120 }, () => softPicture(next, SIZE));
    for (const [index, data] of all.entries()) await place.put(`${index < 80 ? 'train' : 'test'}/${index % 2 ? 'truck' : 'car'}/${index}.png`, png(data));
    const changed = (index: number, change: (value: number) => number) => png((all[index] ?? new Uint8Array()).map(change));
    await place.put('train/car/darker.png', changed(100, (value) => Math.round(value * 0.6)));
    await place.put('train/truck/noisy.png', changed(101, (value) => Math.max(0, Math.min(255, value + Math.round((next() - 0.5) * 4)))));
    await place.put('train/truck/test-again.png', changed(5, (value) => Math.min(255, value + 1)));
    await place.put('train/car/wrong.png', changed(7, (value) => Math.min(255, value + 1)));
    for (const [name, grey] of [['train/car/grey.png', 90], ['test/car/black.png', 3]] as const) await place.put(name, png(new Uint8Array(SIZE * SIZE * 3).fill(grey)));
    const { build } = await stack.define({
      kind: 'images', image: { height: SIZE, width: SIZE }, target: { classes: ['car', 'truck'] }, leakage,
      sources: (['train', 'test'] as const).map((split) => ({ kind: 'image-folder', location: place.name, path: split, split })),
    });
    const { report, blocked } = await build();
    return { blocked, place: place.name, found: report.findings };
  }

  it('are named in pairs where one of them judges; others, and pictures of one grey, are not', async () => {
    const { found, place, blocked } = await pictures();
    expect(blocked).toBe(false);
    expect(found).toMatchObject([
      { check: 'blank', severity: 'warn', count: 2 },
      { check: 'near-duplicate', severity: 'warn', count: 2, message: 'pictures that train or validate look like a test picture' },
      { check: 'near-duplicate', severity: 'warn', count: 1, message: 'pictures look alike under two classes; is one of them labelled wrongly?', rows: [expect.stringMatching(/\/train\/car\/wrong\.png \(car\) ~ .*\/train\/truck\/7\.png \(truck\), \d of 64 bits differ$/)] },
    ]);
    expect(found[1]?.rows.map((name) => name.replace(/, \d of 64 bits differ$/, ''))).toEqual([`${place}/train/car/darker.png (train) ~ ${place}/test/car/100.png (test)`, `${place}/train/truck/noisy.png (train) ~ ${place}/test/truck/101.png (test)`]);
    expect((await pictures({ nearDuplicates: 'block' })).blocked).toBe(true);
    expect((await pictures({ nearDuplicates: 'off', otherClass: 'off' })).found.map(({ check }) => check)).toEqual(['blank']);
  });
});
