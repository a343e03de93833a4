import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DataProfile } from '../../contract/data-profile.js';
import { Comparison } from '../../definition/comparison.js';
import type { TypedColumn } from '../../definition/columns.js';
import { compareProfiles } from '../../domain/profile/compare.js';
import { DataSketch } from '../../domain/profile/data-sketch.js';
import { homogeneity, jensenShannon, kolmogorovSmirnov, stabilityIndex } from '../../domain/profile/distances.js';
import { QuantileSketch } from '../../domain/profile/quantile-sketch.js';
import { createSampler } from '../../domain/sampling.js';
import { chiSquareTail, kolmogorovCritical } from '../../domain/tails.js';
import { markedTexts } from '../support/marked-texts.js';

const golden = JSON.parse(readFileSync(new URL('golden/profile.json', import.meta.url), 'utf8')) as {
  ks: { left: number[]; right: number[]; statistic: number; critical: Record<string, number> }; counts: [number[], number[]]; jensenShannon: number; psi: number; chiSquare: { statistic: number; quantiles: Record<string, number> };
};

const COLUMNS: TypedColumn[] = [{ name: 'age', type: 'number', nullable: true }, { name: 'city', type: 'text', nullable: false }];
const CITIES = ['Graz', 'Wien', 'Linz'];

/** Rows whose ages are uniform from `from` on, 1 wide; a share of them missing; their cities as likely as said. */
function rowsOf(rows: number, seed: number, { from = 0, missing = 0, cities = [0.5, 0.3, 0.2], yes = 0.3 } = {}): DataProfile {
  const random = createSampler(seed);
  const sketch = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, COLUMNS, seed);
  const texts = Array.from({ length: rows }, () => { const at = random.share(); return CITIES[at < (cities[0] ?? 0) ? 0 : at < (cities[0] ?? 0) + (cities[1] ?? 0) ? 1 : 2] ?? ''; });
  sketch.add(rows, Int32Array.from(texts, () => (random.share() < yes ? 1 : 0)), [
    { numbers: Float64Array.from({ length: rows }, () => (random.share() < missing ? NaN : from + random.share())) }, { texts: markedTexts(texts) },
  ]);
  return sketch.state();
}
const exceeded = (before: DataProfile, after: DataProfile, limits: Parameters<typeof Comparison.parse>[0] = {}) => compareProfiles(before, after, Comparison.parse(limits)).filter((one) => one.exceeded);

describe('two samples', () => {
  test('are as far apart as scipy says', () => {
    const sketchOf = (values: number[], seed: number) => { const sketch = new QuantileSketch(seed); sketch.add(Float64Array.from(values), values.length); return sketch.state(); };
    expect(kolmogorovSmirnov(sketchOf(golden.ks.left, 1), sketchOf(golden.ks.right, 2))).toBeCloseTo(golden.ks.statistic, 12);
    expect(jensenShannon(...golden.counts)).toBeCloseTo(golden.jensenShannon, 12);
    expect(stabilityIndex(...golden.counts)).toBeCloseTo(golden.psi, 12);
    for (const [alpha, critical] of Object.entries(golden.ks.critical)) expect(kolmogorovCritical(Number(alpha))).toBeCloseTo(critical, 6);
    for (const [asked, quantile] of Object.entries(golden.chiSquare.quantiles)) {
      const [alpha = NaN, df = NaN] = asked.split(' ').map(Number);
      expect(chiSquareTail(quantile, df) / alpha).toBeCloseTo(1, 6);
    }
    expect(homogeneity(...golden.counts)).toBeCloseTo(chiSquareTail(golden.chiSquare.statistic, 3), 12);
  });
});

describe('a snapshot against the one before', () => {
  const before = rowsOf(3_000, 1);

  test.each([
    ['shift', 'age', { from: 0.3 }], ['shift', 'city', { cities: [0.2, 0.3, 0.5] }], ['missing', 'age', { missing: 0.2 }], ['classes', 'label', { yes: 0.6 }],
  ] as const)('differs in %s of %s alone where that alone has changed', (kind, about, change) => {
    expect(exceeded(before, rowsOf(3_000, 2, change as object)).map((one) => [one.kind, one.about])).toEqual([[kind, about]]);
  });

  test('differs in its columns, and in how many rows there are', () => {
    const other = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, [{ name: 'age', type: 'text', nullable: false }, { name: 'visits', type: 'number', nullable: false }], 0).state();
    expect(exceeded(before, other).map(({ message }) => message)).toEqual(['the column age was number and is text', 'the column visits is new', 'the column city is missing', '0 rows after 3000']);
    expect(exceeded(before, rowsOf(1_400, 3)).map(({ message }) => message)).toEqual(['1400 rows after 3000']);
    expect(exceeded(before, rowsOf(9_100, 3), { rows: { most: 3 } })).toMatchObject([{ kind: 'rows', limit: 3, severity: 'warn' }]);
  });

  test('with few rows does not differ by what chance explains, however large the distance', () => {
    expect(exceeded(rowsOf(20, 4), rowsOf(25, 5), { shift: { distance: 0.01 }, classes: { change: 0.01 } })).toEqual([]);
  });

  test('of the same kind is reported no more often than the definition says', () => {
    const limits = { shift: { distance: 0 }, missing: { change: 0 }, classes: { change: 0 }, rows: { least: 0 }, significance: 0.05 };
    const trials = 300;
    let alarms = 0;
    for (let trial = 0; trial < trials; trial += 1) if (exceeded(rowsOf(400, 10_000 + 2 * trial, { missing: 0.1 }), rowsOf(300, 10_001 + 2 * trial, { missing: 0.1 }), limits).length > 0) alarms += 1;
    // 5% expected at most; 8% would be seen by chance once in a hundred times.
    expect(alarms / trials).toBeLessThan(0.08);
    expect(alarms).toBeGreaterThan(0);
  });
});
