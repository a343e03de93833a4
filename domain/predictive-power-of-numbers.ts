import { NEIGHBOURS, nearestFirst } from './predictive-power.js';
import type { ColumnValue } from './predictive-power.js';
import { quantiles } from './quantiles.js';

export interface PowerOfNumbers {
  /** Share of the baseline's absolute error that the column takes away, up to 1; below 0 where it adds some. */
  readonly share: number;
  /** Rows that were kept aside. */
  readonly rows: number;
}

/** Of fewer rows kept aside nothing is said. */
const LEAST_ROWS = 20;

/**
 * How well one column alone tells a number: what `predictivePower` is of classes, with the median in the place of the most frequent class and the
 * absolute error in that of being wrong (the predictive power score of a regression). Every second row is kept aside; a number is answered by
 * the median of the rows nearest to it, at least five, a text by that of the rows with that text.
 * Null where there are too few rows to tell, or the target does not vary.
 * @param values one for each row, the rows in an order that has nothing to do with their target
 * @param targets the target of each row
 */
export function predictivePowerOfNumbers(values: readonly ColumnValue[], targets: readonly number[]): PowerOfNumbers | null {
  const byValue = new Map<ColumnValue, number[]>();
  const known: number[] = [];
  for (let row = 0; row < values.length; row += 2) {
    const [value, target] = [values[row] ?? null, targets[row] ?? 0];
    const same = byValue.get(value);
    if (same) same.push(target);
    else byValue.set(value, [target]);
    known.push(target);
  }
  const rows = values.length - known.length;
  if (rows < LEAST_ROWS) return null;
  const usual = median(known);
  const numbers = Float64Array.from([...byValue.keys()].filter((value): value is number => typeof value === 'number')).sort();
  const answers = new Map<ColumnValue, number>();
  const answer = (value: ColumnValue): number => {
    const before = answers.get(value);
    if (before !== undefined) return before;
    const told = median(typeof value === 'number' ? neighbours(value, numbers, byValue) : byValue.get(value) ?? [usual]);
    answers.set(value, told);
    return told;
  };
  let [baseline, error] = [0, 0];
  for (let row = 1; row < values.length; row += 2) {
    const target = targets[row] ?? 0;
    baseline += Math.abs(target - usual);
    error += Math.abs(target - answer(values[row] ?? null));
  }
  return baseline === 0 ? null : { share: 1 - error / baseline, rows };
}

/** Targets of at least {@link NEIGHBOURS} rows around a value; all rows of one value, or none. */
function neighbours(value: number, numbers: Float64Array, byValue: ReadonlyMap<ColumnValue, readonly number[]>): number[] {
  const found: number[] = [];
  for (const nearest of nearestFirst(value, numbers)) {
    found.push(...byValue.get(nearest) ?? []);
    if (found.length >= NEIGHBOURS) break;
  }
  return found;
}

function median(values: readonly number[]): number {
  return quantiles(values, [0.5])[0] ?? 0;
}
