import type { QualityReport } from '../contract/evaluation.js';
import { headlines } from '../domain/quality.js';
import { figure, table } from './table.js';

type Chosen = Parameters<typeof headlines>[1];

/** Figures of the candidate beside those of the live version on the same rows. */
export function changeTable(candidate: QualityReport, live: QualityReport | null, chosen?: Chosen): string {
  const known = new Map(live ? headlines(live).map(({ metric, value }) => [metric, value]) : []);
  return table(['FIGURE', 'CANDIDATE', 'LIVE', 'CHANGE'], headlines(candidate, chosen).map(({ metric, value: now }) => {
    const before = known.get(metric) ?? null;
    const change = now === null || before === null ? '-' : `${now >= before ? '+' : ''}${(now - before).toFixed(3)}`;
    return [metric, figure(now), figure(before), change];
  }));
}

/** What tells most of a slice where nobody chose: the figure that stands for all, and one that weighs its errors in another way. */
const OF_SLICES = { classification: ['accuracy', 'f1'], regression: ['mae', 'rmse'] } as const;

/** Each slice with the chosen figures, or those that tell most. */
export function sliceTable(slices: readonly { readonly name: string; readonly report: QualityReport }[], chosen?: Chosen): string {
  const figures = (report: QualityReport) => headlines(report, chosen ?? OF_SLICES['task' in report ? 'regression' : 'classification']);
  const [first] = slices;
  return table(['SLICE', 'ROWS', ...(first ? figures(first.report).map(({ metric }) => metric.toUpperCase()) : [])], slices.map(({ name, report }) => [name, report.n, ...figures(report).map(({ value }) => figure(value))]));
}

/** `accuracy 0.912` or `mae 0.412`. */
export function headline(report: QualityReport): string {
  const [{ metric, value }] = headlines(report);
  return `${metric} ${figure(value)}`;
}
