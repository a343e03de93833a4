import type { ClassificationReport } from '../contract/evaluation.js';
import type { Threshold } from '../definition/operation.js';
import { measure } from './gates.js';

/** A limit on live quality that was broken. The same limit has the same `key` at every check, so that it is one finding while it lasts. */
export interface Finding {
  readonly key: string;
  /** `critical` when the whole 95% interval lies below the limit; `warn` when it may be chance, or the metric has no interval. */
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
  readonly report: ClassificationReport;
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
  for (const { name, metric, class: className, below, action } of thresholds) {
    const { value, n, interval = null } = measure(report, metric, className);
    if (value === null) unknown += 1;
    else if (value < below) {
      findings.push({
        key: name, severity: interval && interval[1] < below ? 'critical' : 'warn', value, n, interval, threshold: below, action,
        message: `${name}: ${metric}${className === undefined ? '' : ` of ${className}`} is ${percent(value)} on ${n} labels, below ${percent(below)}${interval ? ` (95% interval ${percent(interval[0])} to ${percent(interval[1])})` : ''}`,
      });
    }
  }
  return { verdict: findings.length > 0 ? 'findings' : unknown > 0 ? 'inconclusive' : 'ok', findings };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
