import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { batchesOf } from '../../runtime/data/batches.js';
import { epochWindows } from '../../runtime/data/epoch-order.js';
import { Moments } from '../../runtime/data/moments.js';
import { createRowWriter } from '../../runtime/data/row-store.js';
import type { RowStore } from '../../runtime/data/row-store.js';
import { preparedRows } from '../../runtime/preprocess.js';

const COLUMNS = 64;
const ROWS = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'perennial-order-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const preprocessor = preparedRows(COLUMNS);

/** Rows whose first column is their number. */
function store(budgetBytes: number): RowStore {
  const writer = createRowWriter({ rows: ROWS, rowBytes: COLUMNS * 4, budgetBytes, file: join(folder, `rows-${budgetBytes}`), createLabels: (rows) => new Uint16Array(rows) });
  for (let start = 0; start < ROWS; start += 1000) {
    const values = new Float32Array(1000 * COLUMNS);
    for (let row = 0; row < 1000; row += 1) values[row * COLUMNS] = start + row;
    writer.append(new Uint8Array(values.buffer), Uint16Array.from({ length: 1000 }, (_, row) => (start + row) % 7));
  }
  return writer.finish();
}

function epoch(rows: RowStore, number: number, budgetBytes: number, firstBatch = 0): { order: number[]; sizes: number[]; labels: number[] } {
  const [order, sizes, labels]: [number[], number[], number[]] = [[], [], []];
  for (const batch of batchesOf(epochWindows(rows, 1, number, budgetBytes, firstBatch * 64), { batchSize: 64, preprocessor, pictures: false, flips: null, firstBatch })) {
    sizes.push(batch.rows);
    for (let row = 0; row < batch.rows; row += 1) {
      order.push(batch.inputs[row * COLUMNS] ?? -1);
      labels.push(batch.labels[row] ?? -1);
    }
  }
  return { order, sizes, labels };
}

describe.each([['in memory', 2 ** 30], ['in a file, larger than the budget', 2 * 2 ** 20]])('rows %s', (_name, budget) => {
  const rows = store(budget);
  afterAll(() => { rows.close(); });

  test('come once in each epoch, with their labels, in full batches and another order each time', () => {
    const [one, two] = [epoch(rows, 1, budget), epoch(rows, 2, budget)];
    expect([...one.order].sort((a, b) => a - b)).toEqual(Array.from({ length: ROWS }, (_, row) => row));
    expect(one.labels).toEqual(one.order.map((row) => row % 7));
    expect(one.sizes.slice(0, -1).every((size) => size === 64)).toBe(true);
    expect(two.order).not.toEqual(one.order);
    expect(epoch(rows, 1, budget).order).toEqual(one.order);
  });

  test('go on in the middle of an epoch where it was left', () => {
    expect(epoch(rows, 3, budget, 200).order).toEqual(epoch(rows, 3, budget).order.slice(200 * 64));
  });
});

test('a file of rows leaves nothing behind, even while it is in use', () => {
  const rows = store(1);
  expect(rows.memory).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
  rows.close();
});

test('moments are those of the definition, far from zero too', () => {
  const values = Float32Array.from({ length: 1000 }, (_, index) => 10_000 + (index % 10));
  const moments = new Moments(1, 1000);
  moments.add(values, 1000);
  const mean = values.reduce((sum, value) => sum + value, 0) / 1000;
  expect(moments.of(0).mean).toBeCloseTo(mean, 9);
  expect(moments.of(0).standardDeviation).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 1000), 9);
  expect(moments.profile(['x'])[0]?.quantiles.slice(0, 2)).toEqual([10_000, 10_000]);
});
