import type { ClassificationReport } from '../contract/evaluation.js';

/** One row a model was asked: the label it has, and the class the model gave. */
export interface Outcome { readonly actual: string; readonly predicted: string }
/** Counts `[actual][predicted]`, in the order of the classes. */
export type Confusion = readonly (readonly number[])[];

/**
 * Classification report over rows or over a confusion matrix.
 *
 * Precision tp/(tp+fp), recall tp/(tp+fn), F1 2·tp/(2·tp+fp+fn), accuracy the share of right rows; null where the denominator is zero.
 * Macro averages are the plain mean over the classes that have support. A class with support that was never predicted counts
 * as precision 0 in the mean (scikit-learn's `zero_division=0`): a model must not gain by ignoring a class.
 * @throws RangeError for a class that is not in `classes`, or a matrix that does not fit them.
 */
export function classificationReport(classes: readonly string[], rows: readonly Outcome[] | Confusion): ClassificationReport {
  const confusion = isConfusion(rows) ? checked(classes, rows) : count(classes, rows);
  const perClass = classes.map((name, index) => {
    const right = confusion[index]?.[index] ?? 0;
    const support = sum(confusion[index] ?? []);
    const predicted = sum(confusion.map((row) => row[index] ?? 0));
    return { class: name, precision: ratio(right, predicted), recall: ratio(right, support), f1: ratio(2 * right, support + predicted), support };
  });
  const n = sum(perClass.map(({ support }) => support));
  const supported = perClass.filter(({ support }) => support > 0);
  const macro = (metric: 'precision' | 'recall' | 'f1') => ratio(sum(supported.map((entry) => entry[metric] ?? 0)), supported.length);
  return {
    n, accuracy: ratio(sum(confusion.map((row, index) => row[index] ?? 0)), n),
    precision: macro('precision'), recall: macro('recall'), f1: macro('f1'),
    classes: [...classes], perClass, confusion,
  };
}

function isConfusion(rows: readonly Outcome[] | Confusion): rows is Confusion {
  return Array.isArray(rows[0]);
}

function checked(classes: readonly string[], confusion: Confusion): number[][] {
  const square = confusion.length === classes.length && confusion.every((row) => row.length === classes.length);
  if (!square) throw new RangeError(`a confusion matrix of ${classes.length} classes has as many rows and columns`);
  if (!confusion.flat().every((cell) => Number.isInteger(cell) && cell >= 0)) throw new RangeError('a confusion matrix holds counts');
  return confusion.map((row) => [...row]);
}

function count(classes: readonly string[], rows: readonly Outcome[]): number[][] {
  const positions = new Map(classes.map((name, index) => [name, index]));
  const position = (name: string) => {
    const index = positions.get(name);
    if (index === undefined) throw new RangeError(`"${name}" is not one of the classes ${classes.join(', ')}`);
    return index;
  };
  const confusion = classes.map(() => classes.map(() => 0));
  for (const { actual, predicted } of rows) {
    const line = confusion[position(actual)];
    const column = position(predicted);
    if (line) line[column] = (line[column] ?? 0) + 1;
  }
  return confusion;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
