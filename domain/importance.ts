import type { FeatureReport } from '../contract/importance.js';
import type { CellRow } from './cells.js';
import type { RedundantGroup } from './redundancy.js';
import { metricText } from './metrics.js';
import { createSampler } from './sampling.js';
import type { Sampler } from './sampling.js';
import { studentT95 } from './student-t.js';

export interface Questioned {
  readonly metric: FeatureReport['metric'];
  readonly columns: readonly string[];
  readonly rows: readonly CellRow[];
  /** The model's error on each of the rows: 0 or 1, or the absolute error. */
  readonly errorsOf: (rows: readonly CellRow[]) => Float64Array;
  /** By the places of their columns. */
  readonly redundant: readonly RedundantGroup[];
  /** Exchanges of each column; their mean counts. */
  readonly repeats: number;
  readonly seed: number;
}

/**
 * Permutation importance: the growth of a model's error when a column's values are exchanged among the rows, so that they say nothing any
 * more. Source: L. Breiman, "Random forests", Machine Learning 45 (2001); for any model: A. Fisher, C. Rudin and F. Dominici, "All models are
 * wrong, but many are useful", JMLR 20 (2019). Columns that tell each other hide each other's importance; they are also exchanged together.
 * Intervals: a row counts twice, where it is asked and where its value is given to another, so that the mean is a U-statistic; its deviation is
 * that of both parts together (W. Hoeffding, "A class of statistics with asymptotically normal distribution", 1948), with Student's t.
 * @throws RangeError with fewer than two rows
 */
export function featureImportance({ metric, columns, rows, errorsOf, redundant, repeats, seed }: Questioned): FeatureReport {
  if (rows.length < 2) throw new RangeError(`importance is measured on two rows or more, not ${rows.length}`);
  const sampler = createSampler(seed);
  const before = errorsOf(rows);
  const growthOf = (places: readonly number[]) => {
    const [asked, given] = [new Float64Array(rows.length), new Float64Array(rows.length)];
    for (let turn = 0; turn < repeats; turn += 1) {
      const order = shuffled(rows.length, sampler);
      const after = errorsOf(rows.map((row, index) => exchanged(row, rows[order[index] ?? 0] ?? row, places)));
      after.forEach((error, index) => {
        const growth = (error - (before[index] ?? 0)) / repeats;
        const from = order[index] ?? 0;
        asked[index] = (asked[index] ?? 0) + growth;
        given[from] = (given[from] ?? 0) + growth;
      });
    }
    return meanOf(asked, given);
  };
  const most = <T extends { importance: number }>(all: T[]) => all.sort((a, b) => b.importance - a.importance);
  return {
    v: 1, metric, rows: rows.length, repeats, error: before.reduce((sum, error) => sum + error, 0) / rows.length,
    columns: most(columns.map((name, place) => ({ name, ...growthOf([place]) }))),
    redundant: most(redundant.map(({ places, strength }) => ({ columns: places.map((place) => columns[place] ?? ''), strength, ...growthOf(places) }))),
  };
}

/** A growth of the error for people: shares in points, else in the target's unit. */
export function growthText(metric: FeatureReport['metric'], value: number): string {
  const size = Math.abs(value);
  return `${value < 0 ? '−' : '+'}${metric === 'accuracy' ? `${(size * 100).toFixed(1)} points` : metricText(metric, size)}`;
}

/** A growth and its interval, for the cells of a table. */
export function growthCells(metric: FeatureReport['metric'], { importance, interval }: Pick<FeatureReport['columns'][number], 'importance' | 'interval'>): [string, string] {
  return [growthText(metric, importance), interval.map((value) => growthText(metric, value)).join(' to ')];
}

/** What grows. */
export const ERROR_NAMES = { accuracy: 'share of wrong answers', mae: 'mean absolute error' } as const satisfies Record<FeatureReport['metric'], string>;

function exchanged(row: CellRow, other: CellRow, places: readonly number[]): CellRow {
  const copy = [...row];
  for (const place of places) copy[place] = other[place] ?? null;
  return copy;
}

/** The numbers from 0 on in an order in which each is as likely as the others: R. A. Fisher and F. Yates, as R. Durstenfeld wrote it down. */
function shuffled(count: number, sampler: Sampler): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const at = sampler.below(last + 1);
    [order[last], order[at]] = [order[at] ?? 0, order[last] ?? 0];
  }
  return order;
}

function meanOf(asked: Float64Array, given: Float64Array): { importance: number; interval: [number, number] } {
  const n = asked.length;
  const importance = asked.reduce((sum, value) => sum + value, 0) / n;
  const squares = asked.reduce((sum, value, row) => sum + (value + (given[row] ?? 0) - 2 * importance) ** 2, 0);
  const half = studentT95(n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { importance, interval: [importance - half, importance + half] };
}
