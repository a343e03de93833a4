import type { ClassificationReport, QualityReport, RegressionReport } from '../contract/evaluation.js';
import type { AnyMetric, ErrorMetric, Metric } from '../definition/evaluation.js';
import { wilsonInterval } from './intervals.js';
import { isErrorMetric } from './metrics.js';

/** A metric of a report with the rows it rests on; `interval` only where the metric is a share of rows, or a mean over them. */
export interface Measured { readonly value: number | null; readonly n: number; readonly interval?: [number, number] }

/**
 * A metric of all classes (macro average) or of one. A class's precision rests on the rows predicted as it, its recall and F1
 * on the rows it has; its `accuracy` is its recall: the share of its rows that are right. Intervals are Wilson's, 95%. A metric of
 * another task has no value.
 */
export function measure(report: QualityReport, metric: AnyMetric, className?: string): Measured {
  if (isErrorMetric(metric) || metric === 'r2') return 'task' in report ? measureRegression(report, metric) : { value: null, n: 0 };
  return 'task' in report ? { value: null, n: 0 } : measureClasses(report, metric, className);
}

function measureRegression(report: RegressionReport, metric: ErrorMetric | 'r2'): Measured {
  const interval = metric === 'r2' || metric === 'medianAbsoluteError' ? undefined : report.intervals[metric];
  return { value: report[metric], n: report.n, ...(interval ? { interval: [interval[0], interval[1]] } : {}) };
}

function measureClasses(report: ClassificationReport, metric: Metric, className?: string): Measured {
  if (className === undefined) {
    if (metric !== 'accuracy') return { value: report[metric], n: report.n };
    return share(report.confusion.reduce((right, row, index) => right + (row[index] ?? 0), 0), report.n);
  }
  const index = report.classes.indexOf(className);
  const entry = report.perClass[index];
  if (!entry) return { value: null, n: 0 };
  const right = report.confusion[index]?.[index] ?? 0;
  switch (metric) {
    case 'accuracy': case 'recall': return share(right, entry.support);
    case 'precision': return share(right, report.confusion.reduce((predicted, row) => predicted + (row[index] ?? 0), 0));
    case 'f1': return { value: entry.f1, n: entry.support };
  }
}

function share(part: number, whole: number): Measured {
  const interval = wilsonInterval(part, whole);
  return interval ? { value: part / whole, n: whole, interval } : { value: null, n: 0 };
}
