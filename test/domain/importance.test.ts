import { describe, expect, test } from 'vitest';
import type { CellRow } from '../../domain/cells.js';
import { featureImportance } from '../../domain/importance.js';
import { correctedRatio, correctedV, redundantGroups, spearman } from '../../domain/redundancy.js';
import { createSampler } from '../../domain/sampling.js';

/** Rows of independent numbers, each uniform from 0 to 1. */
function uniform(rows: number, columns: number, seed: number): number[][] {
  const sampler = createSampler(seed);
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => sampler.share()));
}

/** The absolute errors of a model that answers what `said` gives, where `said` of the true rows is the truth. */
const errorsOf = (truth: readonly CellRow[], said: (row: readonly number[]) => number) => (rows: readonly CellRow[]) =>
  Float64Array.from(rows, (row, index) => Math.abs(said(row as number[]) - said(truth[index] as number[])));

const ask = (rows: number[][], said: (row: readonly number[]) => number, more: Partial<Parameters<typeof featureImportance>[0]> = {}) =>
  featureImportance({ metric: 'mae', columns: ['a', 'b', 'c'], rows, errorsOf: errorsOf(rows, said), redundant: [], repeats: 5, seed: 1, ...more });

describe('what a model\'s answers hang on', () => {
  // Two uniform numbers are a third apart on average: exchanging a column of weight w adds w/3.
  test('is what the weights of a linear model say, and nothing of a column that it does not read', () => {
    const report = ask(uniform(2000, 3, 7), ([a = 0, b = 0]) => 3 * a + b);
    expect(report).toMatchObject({ v: 1, metric: 'mae', rows: 2000, repeats: 5, error: 0, redundant: [] });
    expect(report.columns.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(report.columns[0]?.importance).toBeCloseTo(1, 1);
    expect(report.columns[1]?.importance).toBeCloseTo(1 / 3, 1);
    expect(report.columns[2]).toEqual({ name: 'c', importance: 0, interval: [0, 0] });
  });

  test.each([5, 20])('lies in the interval as often as it says, with %i exchanges', (repeats) => {
    const truth = 1 / 3;
    const covered = Array.from({ length: 400 }, (_, seed) => ask(uniform(200, 3, seed), ([a = 0]) => a, { repeats, seed }).columns.find(({ name }) => name === 'a'))
      .filter((column) => column !== undefined && column.interval[0] <= truth && truth <= column.interval[1]).length;
    expect(covered / 400).toBeGreaterThan(0.93);
    expect(covered / 400).toBeLessThan(0.98);
  });

  test('hides between columns that say the same, until they are exchanged together', () => {
    const rows = uniform(1000, 3, 3).map(([a = 0, , c = 0]) => [a, a, c]);
    const report = ask(rows, ([a = 0, b = 0]) => (a + b) / 2, { redundant: redundantGroups([0, 1, 2].map((place) => rows.map((row) => row[place] ?? 0))) });
    expect(report.redundant).toEqual([{ columns: ['a', 'b'], strength: 1, importance: expect.closeTo(1 / 3, 1) as number, interval: expect.any(Array) as number[] }]);
    expect(report.columns[0]?.importance).toBeCloseTo(1 / 6, 1);
  });

  test('is the same each time, and needs two rows', () => {
    const rows = uniform(50, 3, 5);
    expect(ask(rows, ([a = 0]) => a)).toEqual(ask(rows, ([a = 0]) => a));
    expect(() => ask(rows.slice(0, 1), ([a = 0]) => a)).toThrow(/two rows or more, not 1/);
  });
});

describe('how nearly columns say the same', () => {
  const numbers = Array.from({ length: 60 }, (_, i) => i);
  const a = numbers.map((i) => ((i * 37) % 61) / 7);
  const b = numbers.map((i) => Math.floor(((i * 37) % 61) / 4) + ((i * 11) % 5));
  const groups = numbers.map((i) => Math.floor(((i * 37) % 61) / 10));
  const g = numbers.map((i) => (i * 7) % 4);
  const h = g.map((value, i) => (i % 6 === 0 ? (value + 1) % 4 : value));

  // scipy 1.17.1: spearmanr; chi2_contingency with Bergsma's correction; f_oneway of the ranks, as epsilon squared.
  test('is what scipy gives', () => {
    expect(spearman(a, b)).toBeCloseTo(0.9556630482193369, 12);
    expect(spearman(a, b.map((value) => -value))).toBeCloseTo(0.9556630482193369, 12);
    expect(correctedV(g, h)).toBeCloseTo(0.8054871344779654, 12);
    expect(correctedRatio(b, groups)).toBeCloseTo(0.9417038335423246, 12);
  });

  test('is not said of columns that do not vary, or where chance alone would give it', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(correctedV([1, 1], [1, 2])).toBeNull();
    expect(correctedRatio([1, 2, 3], [1, 2, 3])).toBeNull();
    // Each row a text of its own: they tell every other column, and nothing.
    expect(redundantGroups([numbers.map((i) => `row ${i}`), a, g.map(String)])).toEqual([]);
  });

  test('ties numbers, times, texts and booleans, rows with a missing value left out', () => {
    const times = a.map((value, i) => (i % 9 === 0 ? null : new Date(1e12 + value * 1e9).toISOString()));
    const texts = g.map((value, i) => (i % 7 === 0 ? null : `kind ${value}`));
    const noise = numbers.map((i) => (i * 29) % 53);
    expect(redundantGroups([a, times, g.map((value) => ['w', 'x', 'y', 'z'][value] ?? ''), noise, texts, g.map((value) => value > 1)]).map(({ places }) => places)).toEqual([[0, 1], [2, 4, 5]]);
    expect(redundantGroups([a.slice(0, 20), a.slice(0, 20)])).toEqual([]);
  });
});
