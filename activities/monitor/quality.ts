import type { QualityReport } from '../../contract/evaluation.js';
import type { Target } from '../../definition/target.js';
import { classificationReport } from '../../domain/classification.js';
import { regressionReport } from '../../domain/regression.js';
import type { LabelledOutcome } from '../../stores/labelled.js';

/** Labelled predictions as a report of their task. Labels are kept as text; those of a regression were checked when they came. */
export function liveQuality(target: Target, rows: readonly LabelledOutcome[]): QualityReport {
  if (target.task === 'regression') return regressionReport({ actual: rows.map(({ actual }) => Number(actual)), predicted: rows.map(({ value }) => value ?? NaN) });
  return classificationReport(target.classes, rows.map(({ actual, predicted }) => ({ actual, predicted: predicted ?? '' })));
}
