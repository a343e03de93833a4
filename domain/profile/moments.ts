/** Count, mean and sum of squared deviations from it. */
export interface Moments { readonly n: number; readonly mean: number; readonly m2: number }

export const NO_MOMENTS: Moments = { n: 0, mean: 0, m2: 0 };

/** Of the first `count` values, in two passes: the second knows the mean. */
export function momentsOf(values: Float64Array, count: number): Moments {
  if (count === 0) return NO_MOMENTS;
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += values[index] as number;
  const mean = sum / count;
  let m2 = 0;
  for (let index = 0; index < count; index += 1) m2 += ((values[index] as number) - mean) ** 2;
  return { n: count, mean, m2 };
}

/** T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0 || b.n === 0) return a.n === 0 ? b : a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return { n, mean: a.mean + delta * (b.n / n), m2: a.m2 + b.m2 + delta * delta * ((a.n * b.n) / n) };
}

/** Standard deviation of a sample (n - 1 in the denominator), as pandas gives it; null of fewer than two values. */
export function sampleDeviation({ n, m2 }: Moments): number | null {
  return n < 2 ? null : Math.sqrt(m2 / (n - 1));
}

/** Moments of pairs of values: means of both, sums of squares of both, and of their product. */
export interface PairMoments { readonly n: number; readonly x: number; readonly y: number; readonly xx: number; readonly yy: number; readonly xy: number }

export const NO_PAIRS: PairMoments = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };

/** Of the rows in which both have a value; NaN is none. */
export function pairMomentsOf(left: Float64Array, right: Float64Array, count: number): PairMoments {
  let n = 0;
  let sumX = 0;
  let sumY = 0;
  for (let row = 0; row < count; row += 1) {
    const a = left[row] as number;
    const b = right[row] as number;
    if (a !== a || b !== b) continue;
    n += 1;
    sumX += a;
    sumY += b;
  }
  if (n === 0) return NO_PAIRS;
  const [x, y] = [sumX / n, sumY / n];
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let row = 0; row < count; row += 1) {
    const a = left[row] as number;
    const b = right[row] as number;
    if (a !== a || b !== b) continue;
    xx += (a - x) * (a - x);
    yy += (b - y) * (b - y);
    xy += (a - x) * (b - y);
  }
  return { n, x, y, xx, yy, xy };
}

/** The same rule as {@link mergeMoments}, of two variables. */
export function mergePairs(a: PairMoments, b: PairMoments): PairMoments {
  if (a.n === 0 || b.n === 0) return a.n === 0 ? b : a;
  const n = a.n + b.n;
  const [dx, dy, weight] = [b.x - a.x, b.y - a.y, (a.n * b.n) / n];
  return { n, x: a.x + dx * (b.n / n), y: a.y + dy * (b.n / n), xx: a.xx + b.xx + dx * dx * weight, yy: a.yy + b.yy + dy * dy * weight, xy: a.xy + b.xy + dx * dy * weight };
}

/** Pearson's correlation; null where one of them does not vary. */
export function correlation({ n, x, y, xx, yy, xy }: PairMoments): number | null {
  const still = (squares: number, mean: number) => squares <= n * (1e-13 * mean) ** 2;
  return n < 2 || still(xx, x) || still(yy, y) ? null : Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}
