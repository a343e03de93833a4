import { isRegression } from '../contract/evaluation.js';
import type { ClassificationReport, ClassMistake, Mistake, QualityReport, ValueMistake } from '../contract/evaluation.js';
import type { AnyMetric } from '../definition/evaluation.js';
import { METRIC_KINDS, metricText } from '../domain/metrics.js';
import { measure } from '../domain/measure.js';
import { figureText, headlines } from '../domain/quality.js';
import type { Figure } from '../domain/quality.js';
import { escapeMarkup as escape } from '../domain/markup.js';
import { percent, table } from './html.js';

const SHOWN_MISTAKES = 12;

/** A report in lines of text: a class each, or a figure each. */
export function qualityLines(report: QualityReport, chosen?: readonly AnyMetric[]): string[] {
  if (isRegression(report)) return headlines(report, chosen).map((figure) => `  ${figure.metric.padEnd(20)} ${figureText(figure)}${intervalOf(report, figure, ' (95% interval ', ')')}`);
  return report.perClass.map((row) => `  ${row.class.padEnd(16)} precision ${percent(row.precision)}  recall ${percent(row.recall)}  F1 ${percent(row.f1)}  n ${row.support}`);
}

/** A report as HTML tables. Of a regression the `chosen` figures, of classes those of each class. */
export function qualityHtml(report: QualityReport, chosen?: readonly AnyMetric[]): string {
  if (isRegression(report)) return table(['figure', 'value', '95% interval'], headlines(report, chosen).map((figure) => [figure.metric, figureText(figure), intervalOf(report, figure)]));
  return `${table(['class', 'precision', 'recall', 'F1', 'n'], report.perClass.map((row) => [row.class, percent(row.precision), percent(row.recall), percent(row.f1), String(row.support)]))}\n${confusion(report)}`;
}

/** Rows of figure, candidate, live version and change. */
export function changeRows(candidate: QualityReport, live: QualityReport, chosen?: readonly AnyMetric[]): string[][] {
  const before = new Map(headlines(live).map(({ metric, value }) => [metric, value]));
  return headlines(candidate, chosen).map(({ metric, value }) => [metric, figureText({ metric, value }), figureText({ metric, value: before.get(metric) ?? null }), changeText({ metric, value }, before.get(metric) ?? null)]);
}

/** The worst mistakes, the worst first: pictures or rows that were taken for another class, or values beside their truth. */
export function mistakesHtml(mistakes: readonly Mistake[]): string {
  const shown = mistakes.slice(0, SHOWN_MISTAKES);
  const values = shown.filter((mistake): mistake is ValueMistake => typeof mistake.actual === 'number');
  if (values.length > 0) return table(['row', 'actual', 'predicted', 'error'], values.map(({ key, actual, predicted }) => [key, metricText('mae', actual), metricText('mae', predicted), metricText('mae', predicted - actual)]));
  return `<div>${shown.filter((mistake): mistake is ClassMistake => 'probability' in mistake).map(picture).join('')}</div>`;
}

function intervalOf(report: QualityReport, { metric }: Figure, before = '', after = ''): string {
  const { interval } = measure(report, metric);
  return interval ? `${before}${interval.map((value) => metricText(metric, value)).join(' to ')}${after}` : '';
}

function changeText({ metric, value }: Figure, before: number | null): string {
  if (value === null || before === null) return '–';
  const change = value - before;
  const size = METRIC_KINDS[metric].unit === 'share' ? `${(Math.abs(change) * 100).toFixed(1)} points` : metricText(metric, Math.abs(change));
  return `${change >= 0 ? '+' : '−'}${size}`;
}

function confusion(report: ClassificationReport): string {
  return table(['actual \\ predicted', ...report.classes], report.classes.map((name, actual) => [name, ...report.classes.map((_, predicted) => String(report.confusion[actual]?.[predicted] ?? 0))]));
}

function picture(mistake: ClassMistake): string {
  const image = mistake.png ? `<img alt="${escape(mistake.key)}" width="96" height="96" style="image-rendering:pixelated" src="data:image/png;base64,${mistake.png}">` : '';
  return `<figure>${image}<figcaption>${escape(mistake.actual)} taken for ${escape(mistake.predicted)}<br>${percent(mistake.probability)}</figcaption></figure>`;
}

/** Slices with their chosen figures, a line each, for a table: the names of the columns, then the rows. */
export function sliceTable(slices: readonly { readonly name: string; readonly report: QualityReport }[], chosen?: readonly AnyMetric[]): { readonly header: string[]; readonly rows: string[][] } {
  const figures = (report: QualityReport) => (chosen ? headlines(report, chosen) : headlines(report).slice(0, 1));
  const [first] = slices;
  return { header: ['slice', ...(first ? figures(first.report).map(({ metric }) => metric) : [])], rows: slices.map(({ name, report }) => [name, ...figures(report).map(figureText), String(report.n)]) };
}
