import type { TrainingOutliers, TrainingProfile } from '../../contract/profile.js';
import type { Guardrail, GuardrailOf } from '../../definition/guardrails.js';
import type { CellRow } from '../cells.js';
import { outlierDistance, outlierLimit } from '../outliers.js';
import type { Violation } from './violation.js';

/** A guardrail of a row as it is asked: raw values, or a picture's figures, in the order of `names`. Null where it finds nothing. */
export type JudgeInput = (row: CellRow) => Violation | null;

interface Range { readonly place: number; readonly column: string; readonly minimum: number; readonly maximum: number }

/** The guardrails that look at inputs, each made once for a version: `profile` is that of its own training rows. */
export function inputJudges(guardrails: readonly Guardrail[], names: readonly string[], profile: TrainingProfile): JudgeInput[] {
  return guardrails.flatMap((guardrail) => {
    if (guardrail.kind === 'input-range') return [inputRange(guardrail, names, profile)];
    return guardrail.kind === 'outlier' && profile.outliers ? [outlier(guardrail, names, profile.outliers)] : [];
  });
}

/** The smallest and the largest value of each column in training, and `tolerance` times the distance between them on either side. A missing value is in no range. */
function inputRange(guardrail: GuardrailOf<'input-range'>, names: readonly string[], { features }: TrainingProfile): JudgeInput {
  const ranges = features.flatMap(({ name, minimum, maximum }): Range[] => {
    const place = names.indexOf(name);
    if (place < 0 || (guardrail.columns && !guardrail.columns.includes(name))) return [];
    const margin = guardrail.tolerance * (maximum - minimum);
    return [{ place, column: name, minimum: told(minimum - margin), maximum: told(maximum + margin) }];
  });
  return (row) => {
    for (const { place, column, minimum, maximum } of ranges) {
      const value = row[place];
      if (typeof value !== 'number') continue;
      const profiled = Math.fround(value); // as the training rows were when their profile was taken
      if (profiled < minimum || profiled > maximum) return { guardrail, column, value, minimum, maximum };
    }
    return null;
  };
}

function outlier(guardrail: GuardrailOf<'outlier'>, names: readonly string[], outliers: TrainingOutliers): JudgeInput {
  const distanceOf = outlierDistance(outliers, names);
  const maximum = told(outlierLimit(outliers, guardrail.share));
  return (row) => {
    const value = distanceOf(row);
    return value > maximum ? { guardrail, value, maximum } : null;
  };
}

/** Without the last digits, which only the sum made. */
const told = (limit: number): number => Number(limit.toPrecision(12));
