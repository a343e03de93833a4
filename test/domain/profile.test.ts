import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DataProfile, ProfileSummary } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { DataSketch, mergeProfiles } from '../../domain/profile/data-sketch.js';
import { DISTINCT_ERROR, DistinctSketch } from '../../domain/profile/distinct-sketch.js';
import { FrequencySketch } from '../../domain/profile/frequency-sketch.js';
import { distributionOf, EXACT, QuantileSketch, quantilesOf, RANK_ERROR, shareUpTo } from '../../domain/profile/quantile-sketch.js';
import { summarize } from '../../domain/profile/summary.js';
import { createSampler } from '../../domain/sampling.js';
import { markedTexts } from '../support/marked-texts.js';

interface Described { missing: number; distinct: number; minimum: number; maximum: number; mean: number; deviation: number; quantiles: number[]; fence: [number, number]; outliers: number; ratio: number }
const golden = JSON.parse(readFileSync(new URL('golden/profile.json', import.meta.url), 'utf8')) as {
  rows: Record<string, (number | string | null)[]>; numbers: Record<string, Described>; correlations: number[][]; city: { counts: Record<string, number>; v: number };
};
const NUMBERS = Object.keys(golden.numbers);
const COLUMNS: TypedColumn[] = [...NUMBERS.map((name) => ({ name, type: 'number' as const, nullable: name === 'fare' })), { name: 'city', type: 'text', nullable: false }];

/** The golden rows from `from` to `to`, taken in in chunks. */
function profileOf(from: number, to: number, seed = 0): DataProfile {
  const sketch = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, COLUMNS, seed);
  for (let at = from; at < to; at += 64) {
    const end = Math.min(to, at + 64);
    const part = (name: string) => (golden.rows[name] ?? []).slice(at, end);
    sketch.add(end - at, Int32Array.from(part('label') as string[], (label) => sketch.classOf(label)), [
      ...NUMBERS.map((name) => ({ numbers: Float64Array.from(part(name), (value) => (value === null ? NaN : Number(value))) })),
      { texts: markedTexts(part('city') as string[]) },
    ]);
  }
  return DataProfile.parse(JSON.parse(JSON.stringify(sketch.state())));
}

describe('the profile of a table', () => {
  test('says what pandas and scipy say of the same rows', () => {
    const summary = ProfileSummary.parse(summarize(profileOf(0, 900)));
    expect(summary.rows).toBe(900);
    for (const name of NUMBERS) {
      const [column, expected] = [summary.columns.find((one) => one.name === name), golden.numbers[name]];
      if (!column?.numbers || !expected) throw new Error(name);
      expect(column).toMatchObject({ missing: expected.missing, present: 900 - expected.missing });
      expect(column.numbers).toMatchObject({ minimum: expected.minimum, maximum: expected.maximum, rankError: 0 });
      expect(column.numbers.mean).toBeCloseTo(expected.mean, 10);
      expect(column.numbers.standardDeviation).toBeCloseTo(expected.deviation, 10);
      column.numbers.quantiles.forEach(({ value }, index) => { expect(value).toBeCloseTo(expected.quantiles[index] ?? NaN, 10); });
      expect(column.numbers.outliers?.below).toBeCloseTo(expected.fence[0], 10);
      expect((column.numbers.outliers?.lowShare ?? 0) + (column.numbers.outliers?.highShare ?? 0)).toBeCloseTo(expected.outliers, 10);
      expect(column.association?.value).toBeCloseTo(expected.ratio, 10);
      expect(Math.abs(column.distinct - expected.distinct)).toBeLessThanOrEqual(3 * DISTINCT_ERROR * expected.distinct);
      expect(column.numbers.histogram.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
    }
    summary.correlations.values.forEach((row, x) => row.forEach((value, y) => { expect(value).toBeCloseTo(golden.correlations[x]?.[y] ?? NaN, 10); }));
    const city = summary.columns.find(({ name }) => name === 'city');
    expect(Object.fromEntries(city?.values.map(({ value, count }) => [value, count]) ?? [])).toEqual(golden.city.counts);
    expect(city).toMatchObject({ distinct: 3, distinctExact: true, allValues: true, texts: { shortest: 4, longest: 4, empty: 0 } });
    expect(city?.association).toMatchObject({ measure: 'Cramér\'s V' });
    expect(city?.association?.value).toBeCloseTo(golden.city.v, 10);
  });

  test('put together from parts is that of the whole', () => {
    const [whole, merged] = [summarize(profileOf(0, 900)), summarize(mergeProfiles([profileOf(0, 150, 1), profileOf(150, 151, 2), profileOf(151, 900, 3)]))];
    expect(rounded(merged)).toEqual(rounded(whole));
    expect(() => mergeProfiles([profileOf(0, 9), new DataSketch('table', { name: 'label', classes: null }, COLUMNS, 0).state()])).toThrow(/different columns/);
  });

  test('of a column that does not vary has no correlation, of no rows no figures', () => {
    const sketch = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, COLUMNS.slice(0, 2), 0);
    expect(ProfileSummary.parse(summarize(sketch.state())).columns[0]).toMatchObject({ present: 0, distinct: 0, numbers: { mean: null, minimum: null, histogram: [] }, association: null });
    sketch.add(3, Int32Array.of(0, 1, 0), [{ numbers: Float64Array.of(0.1, 0.1, 0.1) }, { numbers: Float64Array.of(1, 2, NaN) }]);
    const summary = summarize(sketch.state());
    expect(summary.correlations.values[0]?.[1]).toBeNull();
    expect(summary.columns[0]?.association).toBeNull();
  });

  test('of more different texts than are held at a time counts each, and their lengths', () => {
    const sketch = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, [{ name: 'note', type: 'text', nullable: true }], 0);
    const texts = Array.from({ length: 60_000 }, (_, row) => (row % 10 === 0 ? null : row % 3 === 0 ? 'often' : `note-${String(row).padStart(5, '0')}`));
    for (let at = 0; at < texts.length; at += 2_000) sketch.add(2_000, new Int32Array(2_000), [{ texts: markedTexts(texts.slice(at, at + 2_000)) }]);
    const [note] = summarize(sketch.state()).columns;
    const often = texts.filter((text) => text === 'often').length;
    expect(note).toMatchObject({ present: 54_000, missing: 6_000, texts: { shortest: 5, longest: 10, empty: 0 }, values: [{ value: 'often' }], allValues: false });
    expect(note?.texts?.meanLength).toBeCloseTo((often * 5 + (54_000 - often) * 10) / 54_000, 10);
    expect(Math.abs((note?.values[0]?.count ?? 0) - often)).toBeLessThanOrEqual(note?.valuesError ?? 0);
    expect(note?.valuesError).toBeLessThanOrEqual(54_000 / 501);
    expect(Math.abs((note?.distinct ?? 0) - (54_001 - often))).toBeLessThan(4 * DISTINCT_ERROR * 54_000);
  });

  test('of the largest numbers can be stored and merged, and says nothing that is no double', () => {
    const most = Number.MAX_VALUE;
    const ofRows = (rows: number[], seed: number) => {
      const sketch = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, COLUMNS.slice(0, 2), seed);
      sketch.add(rows.length, Int32Array.from(rows, (_, row) => row % 2), [{ numbers: Float64Array.from(rows) }, { numbers: Float64Array.from(rows, (value) => -value / 2) }]);
      return DataProfile.parse(JSON.parse(JSON.stringify(sketch.state())));
    };
    for (const profile of [ofRows([most, -most, most, 1], 1), mergeProfiles([ofRows([most, most, -most], 1), ofRows([-most, 0], 2), ofRows([most], 3)])]) {
      const summary = ProfileSummary.parse(JSON.parse(JSON.stringify(summarize(profile))));
      expect(summary.columns[0]).toMatchObject({ numbers: { minimum: -most, maximum: most, standardDeviation: null, outliers: null }, association: null });
      expect(summary.columns[0]?.numbers?.histogram.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
      expect(summary.correlations.values[0]?.[1]).toBeNull();
    }
  });
});

/** Figures to ten digits: the order in which parts are added up decides the last ones. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'number' ? Number(inner.toPrecision(10)) : inner)));
}

const DISTRIBUTIONS: Record<string, (index: number, random: () => number) => number> = {
  uniform: (_, random) => random(),
  'narrow and far from zero': (_, random) => -124 + 10 * random() ** 3,
  'ascending': (index) => index,
  'heavy-tailed': (_, random) => 1 / (1 - random()) ** 2,
  'few values': (_, random) => Math.floor(5 * random()),
};

describe('quantiles of a stream', () => {
  test.each(Object.entries(DISTRIBUTIONS))('are within the stated error, whole and merged: %s', (_name, draw) => {
    let beyond = 0;
    let asked = 0;
    for (let trial = 0; trial < 4; trial += 1) {
      const random = createSampler(trial + 1);
      const n = 30_000;
      const values = Float64Array.from({ length: n }, (_unused, index) => draw(index, () => random.share()));
      const whole = new QuantileSketch(trial);
      whole.add(values, n);
      const merged = new QuantileSketch(100 + trial);
      for (let part = 0; part < 12; part += 1) {
        const sketch = new QuantileSketch(1000 * part + trial);
        const slice = values.slice(part * 2500, (part + 1) * 2500);
        sketch.add(slice, slice.length);
        merged.merge(QuantileSketch.from(sketch.state(), part));
      }
      const sorted = values.toSorted();
      for (const state of [whole.state(), merged.state()]) {
        expect(state.levels.reduce((sum, level, height) => sum + level.length * 2 ** height, 0)).toBe(n);
        expect(state.levels.flat().length).toBeLessThan(2600);
        const distribution = distributionOf(state);
        for (const share of [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]) {
          asked += 1;
          const value = sorted[Math.floor(share * n)] as number;
          let rank = Math.floor(share * n);
          while (sorted[rank] === value) rank += 1;
          if (Math.abs(shareUpTo(distribution, value) - rank / n) > RANK_ERROR) beyond += 1;
        }
        const [median] = quantilesOf(state, [0.5]);
        const [low, high] = [sorted[Math.floor((0.5 - 2 * RANK_ERROR) * n)] as number, sorted[Math.floor((0.5 + 2 * RANK_ERROR) * n)] as number];
        expect(median).toBeGreaterThanOrEqual(low);
        expect(median).toBeLessThanOrEqual(high);
      }
    }
    // 99% confidence: of 56 ranks about one.
    expect(beyond / asked).toBeLessThanOrEqual(0.06);
  });

  test('of a long stream, of which a part is looked at, are within the stated error, in whatever pieces it comes', () => {
    const n = 600_000;
    for (const [index, draw] of [(random: number) => 1 / (1 - random), (random: number) => Math.floor(random * 3)].entries()) {
      const random = createSampler(index);
      const values = Float64Array.from({ length: n }, () => draw(random.share()));
      const sketch = new QuantileSketch(index);
      for (let at = 0; at < n;) {
        const piece = values.subarray(at, at + 1 + random.below(3_000));
        sketch.add(piece, piece.length);
        at += piece.length;
      }
      const state = sketch.state();
      expect(state.levels.reduce((sum, level, height) => sum + level.length * 2 ** height, 0)).toBe(n);
      const sorted = values.toSorted();
      for (const share of [0.01, 0.25, 0.5, 0.9]) {
        const value = sorted[Math.floor(share * n)] as number;
        const rank = sorted.findLastIndex((one) => one === value) + 1;
        expect(Math.abs(shareUpTo(distributionOf(state), value) - rank / n)).toBeLessThan(RANK_ERROR);
      }
    }
  });

  test(`are exact for up to ${EXACT} values`, () => {
    const sketch = new QuantileSketch(1);
    sketch.add(Float64Array.from({ length: EXACT }, (_, index) => (index * 7919) % EXACT), EXACT);
    expect(quantilesOf(sketch.state(), [0, 0.5, 1])).toEqual([0, (EXACT - 1) / 2, EXACT - 1]);
  });
});

describe('distinct values of a stream', () => {
  test.each([1, 30, 500, 3_000, 8_000, 60_000])('%d are counted to the stated error, whole and merged alike', (n) => {
    const errors = Array.from({ length: 6 }, (_, trial) => {
      const values = Float64Array.from({ length: n }, (_unused, index) => (index + trial * 1e6) * 0.37);
      const [whole, left, right] = [new DistinctSketch(), new DistinctSketch(), new DistinctSketch()];
      whole.addNumbers(values, n);
      left.addNumbers(values, n >> 1);
      right.addNumbers(values.slice(n >> 1), n - (n >> 1));
      right.addNumbers(values, n >> 2);
      left.merge(right);
      expect(left.registers).toEqual(whole.registers);
      return Math.abs(whole.estimate() - n) / n;
    });
    expect(Math.max(...errors)).toBeLessThan(4 * DISTINCT_ERROR);
    const texts = new DistinctSketch();
    for (let index = 0; index < n; index += 1) texts.addText(`customer-${index}`);
    expect(Math.abs(texts.estimate() - n) / n).toBeLessThan(4 * DISTINCT_ERROR);
  });
});

test('frequent values are counted to the stated error, whole and merged', () => {
  const random = createSampler(5);
  const texts = Array.from({ length: 40_000 }, (_, index) => (random.share() < 0.3 ? `common-${random.below(5)}` : `rare-${index}`));
  const parts = [0, 1, 2, 3].map((part) => {
    const sketch = new FrequencySketch(0);
    for (const text of texts.slice(part * 10_000, (part + 1) * 10_000)) sketch.add(text, Float64Array.of(1));
    return sketch;
  });
  const whole = new FrequencySketch(0);
  for (const text of texts) whole.add(text, Float64Array.of(1));
  const [merged = whole, ...others] = parts;
  for (const other of others) merged.merge(other);
  for (const sketch of [whole, merged]) {
    const { counts, error } = sketch.state();
    expect(error).toBeLessThanOrEqual(40_000 / 501);
    expect(counts.length).toBeLessThanOrEqual(1_000);
    for (let index = 0; index < 5; index += 1) {
      const exact = texts.filter((text) => text === `common-${index}`).length;
      const counted = counts.find(([text]) => text === `common-${index}`)?.[1] ?? 0;
      expect(counted).toBeLessThanOrEqual(exact);
      expect(counted).toBeGreaterThanOrEqual(exact - error);
    }
  }
});
