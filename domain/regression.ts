import type { PairedErrors, RegressionReport } from '../contract/evaluation.js';
import type { Interval } from './intervals.js';
import { quantile } from './quantiles.js';
import { studentT95 } from './student-t.js';

/** What was predicted and what was true, a row at the same place in both. */
export interface Values { readonly actual: ArrayLike<number>; readonly predicted: ArrayLike<number> }

/**
 * Figures of a regression over the rows at `places` (all of them unless told), as scikit-learn defines them: mean absolute error, root of the
 * mean squared error, median absolute error, mean absolute percentage error (a share; null where a target is 0), coefficient of
 * determination 1 − Σ(y−ŷ)²/Σ(y−ȳ)² (null for fewer than two rows or a constant target) and the mean of ŷ − y.
 * Intervals: of a mean over rows Student's t, from two rows on; that of the root is the root of the mean squared error's, cut off at 0.
 */
export function regressionReport(values: Values, places: Iterable<number> = indexesOf(values.actual)): RegressionReport {
  const { actual, predicted } = values;
  const [truths, absolute, squared, shares]: [number[], number[], number[], number[]] = [[], [], [], []];
  let bias = 0;
  for (const place of places) {
    const truth = actual[place] ?? NaN;
    const error = (predicted[place] ?? NaN) - truth;
    truths.push(truth);
    absolute.push(Math.abs(error));
    squared.push(error * error);
    if (truth !== 0) shares.push(Math.abs(error / truth));
    bias += error;
  }
  const n = truths.length;
  if (n === 0) return { task: 'regression', n: 0, mae: null, rmse: null, medianAbsoluteError: null, mape: null, r2: null, bias: null, intervals: {} };
  const isShareDefined = shares.length === n;
  const [ofAbsolute, ofSquared, ofShares] = [momentsOf(absolute), momentsOf(squared), momentsOf(isShareDefined ? shares : [0])];
  const total = sumOfSquares(truths);
  const rooted = intervalOf(ofSquared);
  const intervals: RegressionReport['intervals'] = {};
  const [mae, mape] = [intervalOf(ofAbsolute), isShareDefined ? intervalOf(ofShares) : null];
  if (mae) intervals.mae = mae;
  if (rooted) intervals.rmse = [Math.sqrt(rooted[0]), Math.sqrt(rooted[1])];
  if (mape) intervals.mape = mape;
  return {
    task: 'regression', n, mae: ofAbsolute.mean, rmse: Math.sqrt(ofSquared.mean), medianAbsoluteError: quantile(absolute, 0.5), mape: isShareDefined ? ofShares.mean : null,
    r2: n < 2 || total === 0 ? null : 1 - (ofSquared.mean * n) / total, bias: bias / n, intervals,
  };
}

const absolute = (predicted: number, actual: number) => Math.abs(predicted - actual);

/** Errors of a candidate, absolute unless told, beside those of the live version on the same rows. */
export function pairedErrors(slice: string, candidate: Values, live: ArrayLike<number>, places: Iterable<number>, errorOf = absolute): PairedErrors {
  const [differences, errors]: [number[], number[]] = [[], []];
  for (const place of places) {
    const truth = candidate.actual[place] ?? NaN;
    const [own, before] = [errorOf(candidate.predicted[place] ?? NaN, truth), errorOf(live[place] ?? NaN, truth)];
    differences.push(own - before);
    errors.push(before);
  }
  const { n, mean, deviation } = momentsOf(differences);
  return { slice, n, difference: mean, deviation, live: momentsOf(errors).mean };
}

/** How much larger the candidate's mean absolute error is than the live version's, as a share of the latter, on `n` rows. */
export interface ErrorChange { readonly n: number; readonly change: number; readonly interval: Interval | null }

/**
 * The change of the mean absolute error, null without rows. Interval: the paired t interval of the mean difference of absolute errors (Student, "The probable error of a mean",
 * Biometrika 6, 1908; scipy's `ttest_rel(…).confidence_interval()`), over the live version's error, which is taken as known. Where
 * the live version is without any error, a larger one counts as larger by all of it (1).
 */
export function errorChange({ n, difference, deviation, live }: PairedErrors): ErrorChange | null {
  if (n === 0) return null;
  const relative = (value: number) => (live === 0 ? Math.sign(value) : value / live);
  const interval = intervalOf({ n, mean: difference, deviation }, -Infinity);
  return { n, change: relative(difference), interval: interval && [relative(interval[0]), relative(interval[1])] };
}

interface Moments { readonly n: number; readonly mean: number; readonly deviation: number }

/** Mean and standard deviation (n − 1), in two passes. */
function momentsOf(values: readonly number[]): Moments {
  const n = values.length;
  if (n === 0) return { n, mean: 0, deviation: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  return { n, mean, deviation: n < 2 ? 0 : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)) };
}

function intervalOf({ n, mean, deviation }: Moments, lowest = 0): [number, number] | null {
  if (n < 2) return null;
  const half = (studentT95(n - 1) * deviation) / Math.sqrt(n);
  return [Math.max(lowest, mean - half), mean + half];
}

function sumOfSquares(values: readonly number[]): number {
  const { mean } = momentsOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

function* indexesOf(values: ArrayLike<number>): Generator<number> {
  for (let place = 0; place < values.length; place += 1) yield place;
}
