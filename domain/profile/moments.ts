/** Count, mean and sum of squared deviations from it. */
export interface Moments { readonly n: number; readonly mean: number; readonly m2: number }

/**
 * Squares of numbers beyond 10^154 are no doubles any more. What would be infinite stays the largest double instead, so that it can be stored and
 * merged; nothing that is made of it is said to be known.
 */
const LARGEST = Number.MAX_VALUE;
const saturated = (value: number): number => (value !== value ? 0 : Math.max(-LARGEST, Math.min(LARGEST, value)));
export const isKnown = (value: number): boolean => Math.abs(value) < LARGEST;

export const NO_MOMENTS: Moments = { n: 0, mean: 0, m2: 0 };

/** What two passes over numbers tell of them. */
export interface Survey { readonly moments: Moments; readonly minimum: number; readonly maximum: number; readonly integers: number }

/**
 * Of the first `count` values, in two passes: the second knows the mean. Their deviations from it go into `deviations`. NaN among the values makes the
 * mean NaN. An addition waits for the one before it: what else is asked of a value costs no time meanwhile.
 */
export function surveyOf(values: Float64Array, count: number, deviations: Float64Array): Survey {
  let minimum = Infinity;
  let maximum = -Infinity;
  let integers = 0;
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    const value = values[index] as number;
    sum += value;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    if (value === Math.trunc(value)) integers += 1;
  }
  if (count === 0 || sum !== sum) return { moments: count === 0 ? NO_MOMENTS : { n: count, mean: NaN, m2: NaN }, minimum, maximum, integers };
  const mean = saturated(sum / count);
  let m2 = 0;
  for (let index = 0; index < count; index += 1) {
    const deviation = (values[index] as number) - mean;
    deviations[index] = deviation;
    m2 += deviation * deviation;
  }
  return { moments: { n: count, mean, m2: saturated(m2) }, minimum, maximum, integers };
}

/** T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (b.n === 0) return a;
  if (a.n === 0) return { n: b.n, mean: saturated(b.mean), m2: saturated(b.m2) };
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return { n, mean: saturated(a.mean + delta * (b.n / n)), m2: saturated(a.m2 + b.m2 + delta * delta * ((a.n * b.n) / n)) };
}

/** Standard deviation of a sample (n - 1 in the denominator), as pandas gives it; null of fewer than two values, and of values too large for it. */
export function sampleDeviation({ n, m2 }: Moments): number | null {
  return n < 2 || !isKnown(m2) ? null : Math.sqrt(m2 / (n - 1));
}

/** Moments of pairs of values: means of both, sums of squares of both, and of their product. */
export interface PairMoments { readonly n: number; readonly x: number; readonly y: number; readonly xx: number; readonly yy: number; readonly xy: number }

const NO_PAIRS: PairMoments = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };

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
  const [x, y] = [saturated(sumX / n), saturated(sumY / n)];
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
  return { n, x, y, xx: saturated(xx), yy: saturated(yy), xy: saturated(xy) };
}

/** Numbers of {@link PairMoments}. */
const WIDTH = 6;

/** Moments of many pairs of columns, merged in place: there are as many merges as pairs with every chunk of rows. */
export class PairTable {
  readonly #values: Float64Array;

  constructor(pairs: number) {
    this.#values = new Float64Array(pairs * WIDTH);
  }

  static from(pairs: readonly PairMoments[]): PairTable {
    const table = new PairTable(pairs.length);
    pairs.forEach((pair, at) => { table.#set(at * WIDTH, pair); });
    return table;
  }

  /** The same rule as {@link mergeMoments}, of two variables. */
  merge(at: number, b: PairMoments): void {
    if (b.n === 0) return;
    const values = this.#values;
    const from = at * WIDTH;
    const before = values[from] as number;
    if (before === 0) {
      this.#set(from, { n: b.n, x: saturated(b.x), y: saturated(b.y), xx: saturated(b.xx), yy: saturated(b.yy), xy: saturated(b.xy) });
      return;
    }
    const n = before + b.n;
    const [x, y] = [values[from + 1] as number, values[from + 2] as number];
    const dx = b.x - x;
    const dy = b.y - y;
    const weight = (before * b.n) / n;
    values[from] = n;
    values[from + 1] = saturated(x + dx * (b.n / n));
    values[from + 2] = saturated(y + dy * (b.n / n));
    values[from + 3] = saturated((values[from + 3] as number) + b.xx + dx * dx * weight);
    values[from + 4] = saturated((values[from + 4] as number) + b.yy + dy * dy * weight);
    values[from + 5] = saturated((values[from + 5] as number) + b.xy + dx * dy * weight);
  }

  #set(from: number, { n, x, y, xx, yy, xy }: PairMoments): void {
    this.#values.set([n, x, y, xx, yy, xy], from);
  }

  all(): PairMoments[] {
    return Array.from({ length: this.#values.length / WIDTH }, (_, at) => {
      const [n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0] = this.#values.subarray(at * WIDTH, (at + 1) * WIDTH);
      return { n, x, y, xx, yy, xy };
    });
  }
}

/** Pearson's correlation; null where one of them does not vary, or its squares are no doubles. */
export function correlation({ n, x, y, xx, yy, xy }: PairMoments): number | null {
  const still = (squares: number, mean: number) => squares <= n * (1e-13 * mean) ** 2;
  return n < 2 || ![x, y, xx, yy, xy].every(isKnown) || still(xx, x) || still(yy, y) ? null : Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))));
}
