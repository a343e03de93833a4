import { describe, expect, test } from 'vitest';
import { fitOutliers, outlierDistance, outlierLimit } from '../../domain/outliers.js';
import { Prng } from '../../runtime/prng.js';

/** Standard normal numbers, of a fixed seed (Box and Muller). */
function normals(seed: number): () => number {
  const prng = Prng.of('outliers', seed);
  const random = () => prng.uint32() / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Rows of two columns that hang together: 0.95 of the one is the other's. */
function related(rows: number, seed: number): Float32Array {
  const normal = normals(seed);
  return Float32Array.from({ length: rows }).reduce<Float32Array>((all, _, row) => {
    const [a, b] = [normal(), normal()];
    all.set([100 + 10 * a, -3 + 2 * (0.95 * a + Math.sqrt(1 - 0.95 ** 2) * b)], row * 2);
    return all;
  }, new Float32Array(rows * 2));
}

const NAMES = ['a', 'b'];
const fitted = (names: readonly string[], rows: Float32Array) => {
  const outliers = fitOutliers(names, rows);
  if (!outliers) throw new Error('nothing was fitted');
  return outliers;
};

describe('outliers', () => {
  const outliers = fitted(NAMES, related(5_000, 1));
  const distanceOf = outlierDistance(outliers, NAMES);

  test('about the stated share of ordinary rows that nobody has seen are taken for outliers', () => {
    const fresh = related(20_000, 2);
    const distances = Array.from({ length: 20_000 }, (_, row) => distanceOf([...fresh.subarray(row * 2, row * 2 + 2)]));
    for (const share of [0.1, 0.05, 0.01, 0.001]) {
      const limit = outlierLimit(outliers, share);
      const alarms = distances.filter((distance) => distance > limit).length / distances.length;
      // Four standard errors of a share of 5,000 rows and one of 20,000.
      expect(Math.abs(alarms - share)).toBeLessThan(4 * Math.sqrt(share * (1 - share) * (1 / 5_000 + 1 / 20_000)));
    }
  });

  test('a row whose values are usual, each by itself, but never together, is one', () => {
    expect(distanceOf([115, 0])).toBeLessThan(outlierLimit(outliers, 0.001));
    expect(distanceOf([115, -6])).toBeGreaterThan(outlierLimit(outliers, 0));
  });

  test('a missing value is the mean, and of unrelated columns distances are Euclid\'s over standard deviations', () => {
    expect(distanceOf([null, null])).toBe(0);
    const rows = Float32Array.from({ length: 400 }, (_, at) => (at % 2 === 0 ? (Math.floor(at / 2) % 2 === 0 ? 1 : -1) : Math.floor(at / 4) % 2 === 0 ? 1 : -1));
    const deviation = Math.sqrt(200 / 199);
    expect(outlierDistance(fitted(NAMES, rows), NAMES)([3, 4])).toBeCloseTo(5 / deviation, 2);
    expect(outlierDistance(fitted(NAMES, rows), ['other', 'b', 'a'])([9, 4, 3])).toBeCloseTo(5 / deviation, 2);
  });

  test('the distances that are kept are those of rows that were left out', () => {
    const rows = related(30, 3);
    const left = Array.from({ length: 30 }, (_, row) => {
      const others = Float32Array.from([...rows.subarray(0, row * 2), ...rows.subarray(row * 2 + 2)]);
      return mahalanobis(others, [rows[row * 2] ?? 0, rows[row * 2 + 1] ?? 0]);
    }).sort((a, b) => a - b);
    const { distances } = fitted(NAMES, rows);
    expect(distances.at(-1)?.distance).toBeCloseTo(left.at(-1) ?? 0, 0);
    expect(distances[0]?.distance).toBeCloseTo(left[26] ?? 0, 1);
  });

  test('limits lie between those that are kept; without enough rows, or a column that varies, nothing is known', () => {
    const kept = { distances: [{ share: 0.1, distance: 2 }, { share: 0.05, distance: 3 }, { share: 0, distance: 5 }] };
    expect([0.1, 0.075, 0.05, 0.025, 0].map((share) => outlierLimit(kept, share))).toEqual([2, 2.5, 3, 4, 5]);
    expect(fitOutliers(NAMES, related(29, 4))).toBeNull();
    expect(fitOutliers(['a'], new Float32Array(100).fill(7))).toBeNull();
    expect(fitOutliers([], new Float32Array(0))).toBeNull();
  });

  test('columns that say the same leave distances finite, and more columns than rows can tell are taken one by one', () => {
    const same = Float32Array.from({ length: 200 }, (_, at) => Math.sin(Math.floor(at / 2)));
    const distance = outlierDistance(fitted(NAMES, same), NAMES);
    expect(distance([0.5, 0.5])).toBeLessThan(1);
    expect(distance([0.5, -0.5])).toBeGreaterThan(10);
    const wide = Array.from({ length: 40 }, (_, column) => `c${column}`);
    const normal = normals(5);
    expect(fitted(wide, Float32Array.from({ length: 40 * 40 }, normal)).precision).toBeNull();
  });
});

/** By the textbook, for two columns. */
function mahalanobis(rows: Float32Array, row: readonly [number, number]): number {
  const count = rows.length / 2;
  const column = (place: number) => Array.from({ length: count }, (_, at) => rows[at * 2 + place] ?? 0);
  const [a, b] = [column(0), column(1)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / count;
  const [ma, mb] = [mean(a), mean(b)];
  const covariance = (x: readonly number[], mx: number, y: readonly number[], my: number) => x.reduce((sum, value, at) => sum + (value - mx) * ((y[at] ?? 0) - my), 0) / (count - 1);
  const [aa, bb, ab] = [covariance(a, ma, a, ma), covariance(b, mb, b, mb), covariance(a, ma, b, mb)];
  const [x, y] = [row[0] - ma, row[1] - mb];
  return Math.sqrt((bb * x * x - 2 * ab * x * y + aa * y * y) / (aa * bb - ab * ab));
}
