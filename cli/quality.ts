import { isRegression } from '../contract/evaluation.js';
import type { QualityReport } from '../contract/evaluation.js';
import { figure, table } from './table.js';

const OF_CLASSES = ['accuracy', 'precision', 'recall', 'f1'] as const;
const OF_VALUES = ['mae', 'rmse', 'medianAbsoluteError', 'mape', 'r2'] as const;

/** The figures that a report has, by name; the first stands for all. */
function figuresOf(report: QualityReport): readonly (readonly [string, number | null])[] {
  return isRegression(report) ? OF_VALUES.map((name) => [name, report[name]] as const) : OF_CLASSES.map((name) => [name, report[name]] as const);
}

/** Figures of the candidate beside those of the live version on the same rows. */
export function changeTable(candidate: QualityReport, live: QualityReport | null): string {
  const known = new Map(live ? figuresOf(live) : []);
  return table(['FIGURE', 'CANDIDATE', 'LIVE', 'CHANGE'], figuresOf(candidate).map(([name, now]) => {
    const before = known.get(name) ?? null;
    const change = now === null || before === null ? '-' : `${now >= before ? '+' : ''}${(now - before).toFixed(3)}`;
    return [name, figure(now), figure(before), change];
  }));
}

/** Each slice with the figures that tell most. */
export function sliceTable(slices: readonly { readonly name: string; readonly report: QualityReport }[]): string {
  const isNumber = slices.some(({ report }) => isRegression(report));
  if (isNumber) return table(['SLICE', 'ROWS', 'MAE', 'RMSE'], slices.map(({ name, report }) => [name, report.n, ...(isRegression(report) ? [figure(report.mae), figure(report.rmse)] : [])]));
  return table(['SLICE', 'ROWS', 'ACCURACY', 'F1'], slices.map(({ name, report }) => [name, report.n, ...(isRegression(report) ? [] : [figure(report.accuracy), figure(report.f1)])]));
}

/** `accuracy 0.912` or `mae 0.412`. */
export function headline(report: QualityReport): string {
  const [[name, value] = ['', null]] = figuresOf(report);
  return `${name} ${figure(value)}`;
}
