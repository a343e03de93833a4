import type { Evaluated, EvaluatedClasses, EvaluatedValues } from '../../../runtime/evaluate/evaluate.js';

/** The evaluation of a classifier. */
export function classesOf(evaluated: Evaluated): EvaluatedClasses {
  if (evaluated.task !== 'classification') throw new TypeError(`expected an evaluation of classes, found one of a ${evaluated.task}`);
  return evaluated;
}

/** The evaluation of a regression. */
export function valuesOf(evaluated: Evaluated): EvaluatedValues {
  if (evaluated.task !== 'regression') throw new TypeError(`expected an evaluation of values, found one of a ${evaluated.task}`);
  return evaluated;
}
