import type { QualityReport } from '../contract/evaluation.js';
import type { Threshold } from '../definition/operation.js';
import { measure } from './measure.js';
import { metricText } from './metrics.js';

/** A limit on live quality that was broken. The same limit has the same `key` at every check, so that it is one finding while it lasts. */
export interface Finding {
  readonly key: string;
  /** `critical` when the whole 95% interval lies beyond the limit; `warn` when it may be chance, or the metric has no interval. */
  readonly severity: 'warn' | 'critical';
  readonly message: string;
  readonly value: number;
  readonly n: number;
  readonly interval: readonly [number, number] | null;
  readonly threshold: number;
  readonly action: Threshold['action'];
}

export interface CheckQuestion {
  /** Over the live version's newest labelled predictions. */
  readonly report: QualityReport;
  /** How many of those there are; with fewer than `minimumLabels` nothing is judged. */
  readonly labels: number;
  readonly minimumLabels: number;
  readonly thresholds: readonly Threshold[];
}

export interface CheckAnswer { readonly verdict: 'ok' | 'findings' | 'inconclusive'; readonly findings: readonly Finding[] }

/** One monitoring pass. A limit whose metric has no value on these labels (no row of its class, say) leaves the check inconclusive, not ok. */
export function judgeCheck({ report, labels, minimumLabels, thresholds }: CheckQuestion): CheckAnswer {
  if (labels < minimumLabels) return { verdict: 'inconclusive', findings: [] };
  const findings: Finding[] = [];
  let unknown = 0;
  for (const threshold of thresholds) {
    const { name, metric, action } = threshold;
    const limit = limitOf(threshold);
    const { value, n, interval = null } = measure(report, metric, limit.class);
    if (value === null) unknown += 1;
    else if (limit.isBroken(value)) {
      const far = interval !== null && interval.every(limit.isBroken);
      const what = `${metric}${limit.class === undefined ? '' : ` of ${limit.class}`}`;
      const bounds = interval ? ` (95% interval ${metricText(metric, interval[0])} to ${metricText(metric, interval[1])})` : '';
      findings.push({
        key: name, severity: far ? 'critical' : 'warn', value, n, interval, threshold: limit.at, action,
        message: `${name}: ${what} is ${metricText(metric, value)} on ${n} labels, ${limit.side} ${metricText(metric, limit.at)}${bounds}`,
      });
    }
  }
  return { verdict: findings.length > 0 ? 'findings' : unknown > 0 ? 'inconclusive' : 'ok', findings };
}

interface Limit { readonly at: number; readonly side: 'above' | 'below'; readonly class: string | undefined; readonly isBroken: (value: number) => boolean }

function limitOf(threshold: Threshold): Limit {
  if ('above' in threshold) return { at: threshold.above, side: 'above', class: undefined, isBroken: (value) => value > threshold.above };
  return { at: threshold.below, side: 'below', class: threshold.class, isBroken: (value) => value < threshold.below };
}
