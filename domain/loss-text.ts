import type { AnyMetric } from '../definition/evaluation.js';
import { METRIC_KINDS } from './metrics.js';

const NAMES: Readonly<Record<AnyMetric, string>> = {
  accuracy: 'accuracy', precision: 'precision', recall: 'recall', f1: 'F1', r2: 'r2',
  mae: 'mean absolute error', rmse: 'root mean squared error', medianAbsoluteError: 'median absolute error', mape: 'mean absolute percentage error',
};

/** How much of a metric: points of a share, a share of an error. */
export function amountText(metric: AnyMetric, value: number): string {
  if (metric === 'r2') return value.toFixed(3);
  return METRIC_KINDS[metric].better === 'more' ? `${(value * 100).toFixed(1)} points` : `${(value * 100).toFixed(1)}%`;
}

/** `0.2 points of accuracy lost`, `mean absolute error 1.3% smaller`. */
export function lossText(metric: AnyMetric, value: number): string {
  const size = amountText(metric, Math.abs(value));
  if (METRIC_KINDS[metric].better === 'more') return `${size} of ${NAMES[metric]} ${value >= 0 ? 'lost' : 'won'}`;
  return `${NAMES[metric]} ${size} ${value >= 0 ? 'larger' : 'smaller'}`;
}

/** What may be lost: `1.0 points of accuracy`, `5.0% of the mean absolute error`. */
export const allowanceText = (metric: AnyMetric, value: number): string => `${amountText(metric, value)} of ${METRIC_KINDS[metric].better === 'more' ? '' : 'the '}${NAMES[metric]}`;
