import { expect, test } from 'vitest';
import { quantile, quantiles } from '../../domain/quantiles.js';

/** numpy 2.4.6, `np.quantile` (method 'linear'). */
test.each([
  [[1, 2, 4, 8, 16], [0, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 1], [1, 1.4, 2, 4, 12.8, 14.4, 15.68, 16]],
  [[3.2, -1.5, 7.25, 0, 2.5, 9.75, 4], [0.05, 0.5, 0.95, 0.99, 1 / 3], [-1.05, 3.2, 9, 9.6, 2.5]],
])('quantiles of %j are numpy\'s', (values, shares, expected) => {
  quantiles(values, shares).forEach((value, index) => { expect(value).toBeCloseTo(expected[index] ?? NaN, 12); });
});

test('leaves the values as they were, and orders them as numbers', () => {
  const values = [10, 9, 100];
  expect(quantile(values, 0.5)).toBe(10);
  expect(values).toEqual([10, 9, 100]);
});

test('of one value is that value, of none is null', () => {
  expect(quantile([7], 0.99)).toBe(7);
  expect(quantiles([], [0, 1])).toEqual([null, null]);
});

test('stays infinite where values are, and refuses what is not a number or not a share', () => {
  expect(quantile([1, Infinity, Infinity], 0.75)).toBe(Infinity);
  expect(() => quantile([1, NaN], 0.5)).toThrow(RangeError);
  expect(() => quantile([1], 1.1)).toThrow(RangeError);
});
