import type { AnyMetric, ErrorMetric } from '../definition/evaluation.js';
import type { Task } from '../definition/target.js';

interface MetricKind { readonly task: Task; readonly better: 'more' | 'less'; readonly unit: 'share' | 'target' | 'none' }

/** What each figure is of, which way it is better, and how it is written. */
export const METRIC_KINDS = {
  accuracy: { task: 'classification', better: 'more', unit: 'share' },
  precision: { task: 'classification', better: 'more', unit: 'share' },
  recall: { task: 'classification', better: 'more', unit: 'share' },
  f1: { task: 'classification', better: 'more', unit: 'share' },
  mae: { task: 'regression', better: 'less', unit: 'target' },
  rmse: { task: 'regression', better: 'less', unit: 'target' },
  medianAbsoluteError: { task: 'regression', better: 'less', unit: 'target' },
  mape: { task: 'regression', better: 'less', unit: 'share' },
  r2: { task: 'regression', better: 'more', unit: 'none' },
} as const satisfies Readonly<Record<AnyMetric, MetricKind>>;

export function isErrorMetric(metric: AnyMetric): metric is ErrorMetric {
  return METRIC_KINDS[metric].better === 'less';
}

/** A figure for people: shares in percent, what is in the target's unit with four significant digits. */
export function metricText(metric: AnyMetric, value: number): string {
  switch (METRIC_KINDS[metric].unit) {
    case 'share': return `${(value * 100).toFixed(1)}%`;
    case 'target': return String(Number(value.toPrecision(4)));
    case 'none': return value.toFixed(3);
  }
}
