import type { ClassificationReport, QualityReport, RegressionReport } from '../contract/evaluation.js';
import type { AnyMetric } from '../definition/evaluation.js';
import { metricText } from './metrics.js';

/** A figure with its name; null where it is not defined. */
export interface Figure { readonly metric: AnyMetric; readonly value: number | null }

const OF_CLASSES = ['accuracy', 'precision', 'recall', 'f1'] as const satisfies readonly (keyof ClassificationReport)[];
const OF_VALUES = ['mae', 'rmse', 'medianAbsoluteError', 'mape', 'r2'] as const satisfies readonly (keyof RegressionReport)[];

/** The figures that people compare versions by, the first of them being the one that stands for all: those `chosen`, or all of the task. */
export function headlines(report: QualityReport, chosen?: readonly AnyMetric[]): readonly [Figure, ...Figure[]] {
  const known: Figure[] = 'task' in report ? OF_VALUES.map((metric) => ({ metric, value: report[metric] })) : OF_CLASSES.map((metric) => ({ metric, value: report[metric] }));
  const figures = chosen ? chosen.flatMap((metric) => known.find((figure) => figure.metric === metric) ?? []) : known;
  const [first = { metric: 'accuracy', value: null }, ...rest] = figures;
  return [first, ...rest];
}

/** The figure that stands for a report, for people: `accuracy 91.2%`, `mae 0.412`. */
export function headlineText(report: QualityReport, chosen?: readonly AnyMetric[]): string {
  const [{ metric, value }] = headlines(report, chosen);
  return `${metric} ${figureText({ metric, value })}`;
}

/** The `chosen` figures of a slice, or the one that stands for all. */
export function sliceText(report: QualityReport, chosen?: readonly AnyMetric[]): string {
  return chosen ? headlines(report, chosen).map((figure) => `${figure.metric} ${figureText(figure)}`).join(', ') : headlineText(report);
}

export function figureText({ metric, value }: Figure): string {
  return value === null ? '–' : metricText(metric, value);
}
