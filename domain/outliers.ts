import type { TrainingOutliers } from '../contract/profile.js';
import type { Cell } from './cells.js';

/** Shares of the training rows whose distances are kept: so many of them lie farther away. */
const SHARES = [0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0] as const;
/** Of more columns than these, how they hang together is not looked at: that costs their square for every row that is asked. */
const MOST_COLUMNS = 64;
/** So many rows for each column tell how columns hang together, and so many in all what is usual. */
const ROWS_PER_COLUMN = 10;
const LEAST_ROWS = 30;
/** Keeps columns that say the same from making the matrix singular. */
const RIDGE = 1e-3;

/**
 * What is usual of rows as a whole: their Mahalanobis distance from the mean of training (P. C. Mahalanobis, "On the generalised distance in statistics", 1936),
 * over standardised columns, a missing value being the mean. `rows`: an even sample of training, one row of `names.length` numbers after another, NaN where missing.
 * The distances kept are those of each row to all others, without itself: else rows that nobody has seen would lie farther away than those of training.
 * Null where there are too few rows, or no column that varies.
 */
export function fitOutliers(names: readonly string[], rows: Float32Array): TrainingOutliers | null {
  const count = names.length === 0 ? 0 : rows.length / names.length;
  if (count < LEAST_ROWS) return null;
  const columns = names.map((name, place) => ({ place, name, ...describe(rows, place, names.length) })).filter(({ deviation }) => deviation > 0);
  if (columns.length === 0) return null;
  const scores = (row: number) => columns.map(({ place, mean, deviation }) => standardised(rows[row * names.length + place] ?? NaN, mean, deviation));
  const precision = columns.length <= MOST_COLUMNS && count >= ROWS_PER_COLUMN * columns.length ? inverse(covarianceOf(count, columns.length, scores)) : null;
  const distances = Array.from({ length: count }, (_, row) => withoutItself(squaredDistance(scores(row), precision), count)).sort((a, b) => a - b);
  return {
    columns: columns.map(({ name, mean, deviation }) => ({ name, mean, deviation })), precision,
    distances: SHARES.map((share) => ({ share, distance: distances[Math.max(0, Math.ceil((1 - share) * count) - 1)] ?? 0 })),
  };
}

/** The distance of a row from the mean of training. `names`: of the row's values, of which others than numbers count as missing. */
export function outlierDistance({ columns, precision }: TrainingOutliers, names: readonly string[]): (row: readonly Cell[]) => number {
  const places = columns.map(({ name }) => names.indexOf(name));
  const scores = new Array<number>(columns.length).fill(0);
  return (row) => {
    columns.forEach(({ mean, deviation }, index) => {
      const value = row[places[index] ?? -1];
      scores[index] = typeof value === 'number' ? standardised(Math.fround(value), mean, deviation) : 0; // as the training rows were
    });
    return Math.sqrt(squaredDistance(scores, precision));
  };
}

/** The distance that this share of the training rows lies beyond; between two that are kept, on the line between them. */
export function outlierLimit({ distances }: Pick<TrainingOutliers, 'distances'>, share: number): number {
  const after = distances.findIndex((kept) => kept.share <= share);
  const [upper, lower] = [distances[Math.max(0, after - 1)], distances[after]];
  if (!upper || !lower) return Infinity;
  return upper.share <= share || upper === lower ? lower.distance : lower.distance + ((share - lower.share) / (upper.share - lower.share)) * (upper.distance - lower.distance);
}

function describe(rows: Float32Array, place: number, columns: number): { readonly mean: number; readonly deviation: number } {
  let [count, mean, squares] = [0, 0, 0];
  for (let at = place; at < rows.length; at += columns) {
    const value = rows[at] ?? NaN;
    if (Number.isNaN(value)) continue;
    count += 1;
    const delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  return { mean, deviation: count < 2 ? 0 : Math.sqrt(squares / (count - 1)) };
}

const standardised = (value: number, mean: number, deviation: number): number => (Number.isNaN(value) ? 0 : (value - mean) / deviation);

/** Of standardised columns. */
function covarianceOf(rows: number, columns: number, scores: (row: number) => number[]): number[][] {
  const sums = Array.from({ length: columns }, () => new Array<number>(columns).fill(0));
  for (let row = 0; row < rows; row += 1) {
    const own = scores(row);
    sums.forEach((line, i) => { for (let j = 0; j < columns; j += 1) line[j] = (line[j] ?? 0) + (own[i] ?? 0) * (own[j] ?? 0); });
  }
  return sums.map((line, i) => line.map((sum, j) => sum / (rows - 1) + (i === j ? RIDGE : 0)));
}

/** Of a symmetric positive definite matrix, by Gauss and Jordan; no pivots are needed. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const work = matrix.map((line, i) => [...line, ...line.map((_, j) => (i === j ? 1 : 0))]);
  work.forEach((pivot, at) => {
    const by = pivot[at] ?? 1;
    for (let j = 0; j < 2 * size; j += 1) pivot[j] = (pivot[j] ?? 0) / by;
    work.forEach((line, i) => {
      const factor = line[at] ?? 0;
      if (i !== at && factor !== 0) for (let j = 0; j < 2 * size; j += 1) line[j] = (line[j] ?? 0) - factor * (pivot[j] ?? 0);
    });
  });
  return work.map((line) => line.slice(size));
}

function squaredDistance(scores: readonly number[], precision: readonly (readonly number[])[] | null): number {
  let sum = 0;
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] ?? 0;
    if (!precision) {
      sum += score * score;
      continue;
    }
    const line = precision[i] ?? [];
    let product = 0;
    for (let j = 0; j < scores.length; j += 1) product += (line[j] ?? 0) * (scores[j] ?? 0);
    sum += score * product;
  }
  return Math.max(0, sum);
}

/** The distance of a row to the others, from its squared distance to all (Sherman and Morrison's formula for the covariance without the row). */
function withoutItself(squared: number, rows: number): number {
  const own = squared / (rows - 1);
  const left = 1 - (rows / (rows - 1)) * own;
  return left <= 0 ? Number.MAX_VALUE : Math.sqrt((rows / (rows - 1)) ** 2 * (rows - 2) * (own / left));
}
