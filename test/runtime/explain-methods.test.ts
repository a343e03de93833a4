import { describe, expect, test } from 'vitest';
import { integratedGradients } from '../../runtime/explain/integrated-gradients.js';
import { occlusion, patchesOf } from '../../runtime/explain/occlusion.js';
import { shapleyValues } from '../../runtime/explain/shapley.js';
import { inSlices, type Slices } from '../../runtime/explain/slices.js';

/** All of it, however it is cut into slices. */
function finish<T>(work: Slices<T>, points = 7): T {
  let step = work.next(points);
  while (!step.done) step = work.next(points);
  return step.value;
}
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

describe('integrated gradients', () => {
  test('of a linear function are its weights times the way from the baseline, for any number of steps', () => {
    const weights = [2, -3, 0.5];
    const gradients = (_tensors: Float32Array, rows: number) => Float32Array.from(weights, (weight) => weight * rows);
    for (const steps of [1, 10, 33]) {
      const found = finish(integratedGradients(gradients, Float32Array.of(1, 2, -4), Float32Array.of(0.5, -1, 0), steps));
      expect([...found]).toEqual([2 * 0.5, -3 * 3, 0.5 * -4].map((value) => expect.closeTo(value, 6) as number));
    }
  });

  test('of x²y come to ⅔x²y and ⅓x²y, and what is missing falls with the square of the steps', () => {
    const [x, y] = [1.5, 2];
    const gradients = (tensors: Float32Array, rows: number) => {
      const sums = new Float64Array(2);
      for (let row = 0; row < rows; row += 1) {
        const [a = 0, b = 0] = tensors.subarray(2 * row);
        sums[0] = (sums[0] ?? 0) + 2 * a * b;
        sums[1] = (sums[1] ?? 0) + a * a;
      }
      return Float32Array.from(sums);
    };
    const foundWith = (steps: number) => finish(integratedGradients(gradients, Float32Array.of(x, y), new Float32Array(2), steps));
    const gap = (steps: number) => Math.abs(sum(foundWith(steps)) - x * x * y);
    expect([...foundWith(256)]).toEqual([2 / 3, 1 / 3].map((share) => expect.closeTo(share * x * x * y, 4) as number));
    expect(gap(4) / gap(8)).toBeCloseTo(4, 1);
    expect(gap(8) / gap(32)).toBeCloseTo(16, 0);
  });
});

describe('Shapley values', () => {
  /** Of a function of a row, from the baseline 0. */
  const valuesOf = (row: readonly number[], f: (row: readonly number[]) => number, orders = 8) => finish(shapleyValues({
    columns: row.length, orders, output: f(row), baselineOutput: f(row.map(() => 0)), outputsOf: (own) => own.map((isOwn) => f(row.map((value, column) => (isOwn[column] === 1 ? value : 0)))),
  }), 5);

  test('of a sum are its terms; of a product each factor has its part; and they always sum to the difference', () => {
    expect([...valuesOf([3, -1, 4, 0], ([a = 0, b = 0, c = 0]) => a + 2 * b - c)]).toEqual([3, -2, -4, 0]);
    expect([...valuesOf([3, 5], ([a = 0, b = 0]) => a * b)]).toEqual([7.5, 7.5]);
    expect([...valuesOf([3], ([a = 0]) => a ** 2, 2)]).toEqual([9]);
    const mixed = (row: readonly number[]) => Math.tanh(row.reduce((total, value, index) => total + value * (index % 3 === 0 ? 1 : row[0] ?? 0), 0));
    const row = Array.from({ length: 9 }, (_, index) => Math.sin(index));
    expect(sum(valuesOf(row, mixed, 2))).toBeCloseTo(mixed(row), 12);
    expect([...valuesOf(row, mixed, 4)]).toEqual([...valuesOf(row, mixed, 4)]);
  });
});

test('occlusion gives each part the whole fall without it; patches cover every pixel once, to the edges', () => {
  expect([...finish(occlusion(3, 10, (from, count) => [4, 10, 12].slice(from, from + count)), 2)]).toEqual([6, 0, -2]);
  const patches = patchesOf(5, 7, 3);
  expect(patches.count).toBe(6);
  expect(Array.from({ length: 6 }, (_, patch) => patches.pixelsOf(patch)).flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 35 }, (_, pixel) => pixel));
  expect(patches.pixelsOf(5)).toEqual([27, 34]);
});

test('work in slices ends as soon as it is given up, and gives way to what arrives', async () => {
  const controller = new AbortController();
  let [slices, received] = [0, 0];
  function* endless(): Slices<never> {
    for (;;) {
      slices += 1;
      if (slices === 3) setImmediate(() => { received += 1; }); // seen in the turn after: one more turn is waited
      if (slices === 5) controller.abort(new Error('nobody waits'));
      yield 1;
    }
  }
  await expect(inSlices(endless(), { signal: controller.signal, received: () => received, predicted: () => 0 })).rejects.toThrow('nobody waits');
  expect([slices, received]).toEqual([5, 1]);
});
