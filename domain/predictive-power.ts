/** A value of a column; null is a missing one. */
export type ColumnValue = number | string | null;

export interface PredictivePower {
  /** Share of the baseline's errors that the column takes away, up to 1; below 0 where it adds some. */
  readonly lambda: number;
  /** Rows that were kept aside, and how many of them the baseline, then the column, gets wrong. */
  readonly rows: number; readonly baselineErrors: number; readonly errors: number;
}

/** With fewer errors of the baseline among the rows kept aside, chance could take most of them away, and nobody would be surprised. */
const LEAST_BASELINE_ERRORS = 20;
/** So many neighbours give one wrong label, or number, no vote that counts. */
export const NEIGHBOURS = 5;

/**
 * How well one column alone tells the class: Goodman and Kruskal's lambda (JASA 49, 1954), the share by which knowing the column
 * lowers the errors of always saying the most frequent class, here on rows that were kept aside: every second one. Numbers are
 * answered by the majority of the five nearest rows (T. Cover and P. Hart, "Nearest neighbor pattern classification", 1967), texts by
 * the majority of the rows with that text. The same idea is known as the predictive power score.
 * Null where there are too few rows to tell.
 * @param values one for each row, the rows in an order that has nothing to do with their class
 * @param classes the class of each row, from 0
 */
export function predictivePower(values: readonly ColumnValue[], classes: readonly number[], kinds: number): PredictivePower | null {
  const fitted = values.map((_, index) => index).filter((index) => index % 2 === 0);
  const all = new Int32Array(kinds);
  for (const index of fitted) all[classes[index] ?? 0] = (all[classes[index] ?? 0] ?? 0) + 1;
  const usual = majority(all, 0);
  const answer = answerer(fitted, values, classes, kinds, usual);
  let [rows, baselineErrors, errors] = [0, 0, 0];
  for (let index = 1; index < values.length; index += 2) {
    rows += 1;
    if (classes[index] !== usual) baselineErrors += 1;
    if (classes[index] !== answer(values[index] ?? null)) errors += 1;
  }
  if (baselineErrors < LEAST_BASELINE_ERRORS) return null;
  return { lambda: 1 - errors / baselineErrors, rows, baselineErrors, errors };
}

/** The most frequent class; of several, `usual` if it is one of them. */
function majority(counts: Int32Array, usual: number): number {
  let best = usual;
  counts.forEach((count, kind) => { if (count > (counts[best] ?? 0)) best = kind; });
  return best;
}

function answerer(fitted: readonly number[], values: readonly ColumnValue[], classes: readonly number[], kinds: number, usual: number): (value: ColumnValue) => number {
  const byValue = new Map<ColumnValue, Int32Array>();
  for (const index of fitted) {
    const value = values[index] ?? null;
    const counts = byValue.get(value) ?? new Int32Array(kinds);
    counts[classes[index] ?? 0] = (counts[classes[index] ?? 0] ?? 0) + 1;
    byValue.set(value, counts);
  }
  const numbers = Float64Array.from([...byValue.keys()].filter((value): value is number => typeof value === 'number')).sort();
  const countsOf = (value: ColumnValue) => byValue.get(value) ?? new Int32Array(kinds);
  return (value) => (typeof value === 'number' ? majority(neighbours(value, numbers, countsOf, kinds), usual) : majority(countsOf(value), usual));
}

/** Classes of at least {@link NEIGHBOURS} rows around a value; all rows of one value count, or none. */
function neighbours(value: number, numbers: Float64Array, countsOf: (value: number) => Int32Array, kinds: number): Int32Array {
  const found = new Int32Array(kinds);
  let rows = 0;
  for (const nearest of nearestFirst(value, numbers)) {
    countsOf(nearest).forEach((count, kind) => { found[kind] = (found[kind] ?? 0) + count; rows += count; });
    if (rows >= NEIGHBOURS) break;
  }
  return found;
}

/** Sorted numbers, the nearest to `value` first; of two that are as near, the larger. */
export function* nearestFirst(value: number, sorted: Float64Array): Generator<number> {
  let right = firstFrom(sorted, value);
  let left = right - 1;
  while (left >= 0 || right < sorted.length) {
    const toLeft = left < 0 ? Infinity : value - (sorted[left] ?? 0);
    const toRight = right >= sorted.length ? Infinity : (sorted[right] ?? 0) - value;
    yield (toLeft < toRight ? sorted[left--] : sorted[right++]) ?? 0;
  }
}

/** Index of the first number that is not below `value`; their number where all are. */
function firstFrom(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How many of `rows` rows would have the values of one of `others` rows by chance, if the columns knew nothing of each other. The chance
 * that two rows agree in a column is estimated without bias by the share of pairs that do (E. H. Simpson, "Measurement of diversity", 1949).
 */
export function expectedCopies(columns: Iterable<readonly ColumnValue[]>, rows: number, others: number): number {
  let agree = 1;
  for (const values of columns) {
    const counts = new Map<ColumnValue, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    let pairs = 0;
    for (const count of counts.values()) pairs += count * (count - 1);
    agree *= values.length < 2 ? 0 : pairs / (values.length * (values.length - 1));
    if (agree === 0) break;
  }
  return rows * (1 - (1 - agree) ** others);
}
