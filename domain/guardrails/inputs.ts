import type { TrainingColumn, TrainingOutliers, TrainingProfile } from '../../contract/profile.js';
import type { Guardrail, GuardrailOf } from '../../definition/guardrails.js';
import type { CellRow } from '../cells.js';
import { outlierDistance, outlierLimit } from '../outliers.js';
import type { Violation } from './violation.js';

/** A guardrail of a row as it is asked: raw values, or a picture's figures, in the order of `names`. Null where it finds nothing. */
export type JudgeInput = (row: CellRow) => Violation | null;

interface Range { readonly place: number; readonly column: string; readonly minimum: number; readonly maximum: number }

/** The guardrails that hold inputs against those of training, each made once for a version: `profile` is that of its own training rows. */
export function inputJudges(guardrails: readonly Guardrail[], names: readonly string[], profile: TrainingProfile): JudgeInput[] {
  return guardrails.flatMap((guardrail) => {
    switch (guardrail.kind) {
      case 'input-range': return [inputRange(guardrail, names, profile)];
      case 'input-category': return profile.columns ? [inputCategory(guardrail, names, profile.columns)] : [];
      case 'input-missing': return profile.columns ? [inputMissing(guardrail, names, profile.columns)] : [];
      case 'outlier': return profile.outliers ? [outlier(guardrail, names, profile.outliers)] : [];
      case 'expectation': case 'confidence': case 'output': return [];
    }
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

/** Characters of a category that are told. */
const TOLD = 100;

/** A category as features take it: by its text. One that is missing is no category. */
function inputCategory(guardrail: GuardrailOf<'input-category'>, names: readonly string[], columns: readonly TrainingColumn[]): JudgeInput {
  const known = judged(guardrail, names, columns).flatMap(({ place, column, categories }) => (categories ? [{ place, column, categories: new Set(categories) }] : []));
  return (row) => {
    for (const { place, column, categories } of known) {
      const cell = row[place] ?? null;
      if (cell === null || categories.has(typeof cell === 'string' ? cell : String(cell))) continue;
      return { guardrail, column, value: typeof cell === 'number' ? cell : shortened(String(cell)) };
    }
    return null;
  };
}

function inputMissing(guardrail: GuardrailOf<'input-missing'>, names: readonly string[], columns: readonly TrainingColumn[]): JudgeInput {
  const always = judged(guardrail, names, columns).filter(({ missing }) => missing === 0);
  return (row) => {
    for (const { place, column } of always) if (row[place] === null) return { guardrail, column };
    return null;
  };
}

/** The columns of training that a guardrail is about, with their places in a row. */
function judged({ columns: asked }: { readonly columns?: readonly string[] | undefined }, names: readonly string[], columns: readonly TrainingColumn[]) {
  return columns.flatMap(({ name, ...rest }) => {
    const place = names.indexOf(name);
    return place < 0 || (asked && !asked.includes(name)) ? [] : [{ place, column: name, ...rest }];
  });
}

/** A text as it is told. */
export const shortened = (text: string): string => (text.length <= TOLD ? text : `${text.slice(0, TOLD - 1)}…`);

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
