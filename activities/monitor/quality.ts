import type { QualityReport } from '../../contract/evaluation.js';
import type { Target } from '../../definition/target.js';
import { classificationReport } from '../../domain/classification.js';
import { regressionReport } from '../../domain/regression.js';
import type { LabelledOutcome } from '../../stores/labelled.js';

/**
 * Labelled predictions as a report of their task, over what the version itself said. Labels are kept as text; those of a regression were checked when they came.
 * A value that was no finite number has no error, and is left out: only a guardrail's answer was given there.
 */
export function liveQuality(target: Target, rows: readonly LabelledOutcome[]): QualityReport {
  if (target.task === 'regression') {
    const valued = rows.flatMap(({ actual, value }) => (value === null ? [] : [{ actual: Number(actual), value }]));
    return regressionReport({ actual: valued.map(({ actual }) => actual), predicted: valued.map(({ value }) => value) });
  }
  return classificationReport(target.classes, rows.map(({ actual, predicted }) => ({ actual, predicted: predicted ?? '' })));
}
