import type { PairedErrors } from '../contract/evaluation.js';
import type { AnyMetric, ErrorMetric } from '../definition/evaluation.js';
import { medianInterval, Z95 } from './intervals.js';
import type { Interval } from './intervals.js';
import { lossOfClasses } from './paired-loss-of-classes.js';
import { quantile } from './quantiles.js';
import { errorChange, pairedErrors } from './regression.js';

/** How much worse one model is than another on the same `n` rows; `interval`: 95%, null where so few rows have none. */
export interface PairedLoss { readonly n: number; readonly value: number; readonly interval: Interval | null }

/** What is true of some rows, and what the full network and a variant of it say: places of classes, or numbers. */
export interface Answers { readonly actual: readonly number[]; readonly full: readonly number[]; readonly variant: readonly number[] }

/**
 * What a variant loses of a metric: of shares and the coefficient of determination the full network's minus its own, of errors how much larger
 * its own is, as a share of the full network's. `classes`: how many there are. Null where the metric is not defined on these rows.
 */
export function pairedLoss(metric: AnyMetric, answers: Answers, classes: number): PairedLoss | null {
  if (answers.actual.length === 0) return null;
  switch (metric) {
    case 'accuracy': case 'precision': case 'recall': case 'f1': return lossOfClasses(metric, answers, classes);
    case 'mae': case 'rmse': case 'mape': case 'r2': return lossOfMeans(metric, answers);
    case 'medianAbsoluteError': return lossOfMedian(answers);
  }
}

type MeanMetric = Exclude<ErrorMetric, 'medianAbsoluteError'> | 'r2';
const absolute = (predicted: number, actual: number) => Math.abs(predicted - actual);
const squared = (predicted: number, actual: number) => (predicted - actual) ** 2;
const ERROR_OF: Readonly<Record<MeanMetric, (predicted: number, actual: number) => number>> = { mae: absolute, rmse: squared, r2: squared, mape: (predicted, actual) => Math.abs((predicted - actual) / actual) };

/** What is made of a mean over rows: the paired t interval of its difference, as {@link errorChange} has it, carried over to the figure, which grows with it. */
function lossOfMeans(metric: MeanMetric, { actual, full, variant }: Answers): PairedLoss | null {
  if (metric === 'mape' && actual.includes(0)) return null;
  const paired = pairedErrors('', { actual, predicted: variant }, full, actual.keys(), ERROR_OF[metric]);
  const carried = (against: PairedErrors, carry: (change: number) => number = (change) => change): PairedLoss | null => {
    const found = errorChange(against);
    return found && { n: found.n, value: carry(found.change), interval: found.interval && [carry(found.interval[0]), carry(found.interval[1])] };
  };
  switch (metric) {
    case 'mae': case 'mape': return carried(paired);
    case 'rmse': return carried(paired, paired.live === 0 ? undefined : (change) => Math.sqrt(Math.max(0, 1 + change)) - 1);
    case 'r2': {
      const mean = actual.reduce((sum, value) => sum + value, 0) / actual.length;
      const variance = actual.reduce((sum, value) => sum + (value - mean) ** 2, 0) / actual.length;
      return actual.length < 2 || variance === 0 ? null : carried({ ...paired, live: variance });
    }
  }
}

/**
 * A median moves with each row by half the reciprocal of the density there, up or down (R. R. Bahadur, "A note on quantiles in large samples", 1966);
 * that reciprocal is read off the distance of the order statistics of the median's own interval (R. M. Price and D. G. Bonett, "Distribution-free
 * confidence intervals for difference and ratio of medians", Journal of Statistical Computation and Simulation 72, 2002).
 */
function lossOfMedian({ actual, full, variant }: Answers): PairedLoss | null {
  const n = actual.length;
  const [ofFull, ofVariant] = [full, variant].map((predicted) => {
    const errors = actual.map((truth, row) => Math.abs((predicted[row] ?? NaN) - truth));
    const [middle, interval] = [quantile(errors, 0.5) ?? NaN, medianInterval(errors)];
    const reciprocal = interval && ((interval[1] - interval[0]) * Math.sqrt(n)) / Z95;
    return { middle, moves: reciprocal === null ? null : errors.map((error) => (error > middle ? reciprocal / 2 : -reciprocal / 2)) };
  });
  if (!ofFull || !ofVariant) return null;
  const relative = (value: number) => (ofFull.middle === 0 ? Math.sign(value) : value / ofFull.middle);
  const difference = ofVariant.middle - ofFull.middle;
  if (!ofFull.moves || !ofVariant.moves) return { n, value: relative(difference), interval: null };
  const { moves } = ofVariant;
  const variance = ofFull.moves.reduce((sum, move, row) => sum + ((moves[row] ?? 0) - move) ** 2, 0) / n;
  const half = Z95 * Math.sqrt(variance / n);
  return { n, value: relative(difference), interval: [relative(difference - half), relative(difference + half)] };
}
