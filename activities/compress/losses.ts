import type { ModelDefinition } from '../../definition/model.js';
import type { SliceLoss } from '../../domain/compression.js';
import { OVERALL } from '../../domain/gates.js';
import { pairedLoss } from '../../domain/paired-loss.js';
import type { Answers } from '../../domain/paired-loss.js';
import { placesOf } from '../evaluate/evaluate-model.js';
import type { Judged } from '../evaluate/evaluate-model.js';

/** What a variant loses against the full network on the same rows of one snapshot, overall and on each slice where the metric is defined. */
export function lossesOf(variant: Judged, full: Judged, { compression, evaluation }: Pick<ModelDefinition, 'compression' | 'evaluation'>): SliceLoss[] {
  if (!compression) return [];
  const classes = variant.task === 'regression' ? 0 : variant.classes.length;
  return [{ name: OVERALL, slice: null }, ...evaluation.slices.map((slice) => ({ name: slice.name, slice }))].flatMap(({ name, slice }) => {
    const found = pairedLoss(compression.allow.metric, answersAt(variant, full, placesOf(variant, slice)), classes);
    return found ? [{ slice: name, ...found }] : [];
  });
}

function answersAt(variant: Judged, full: Judged, places: Iterable<number>): Answers {
  const answers = { actual: [] as number[], full: [] as number[], variant: [] as number[] };
  for (const place of places) {
    answers.actual.push(variant.actual[place] ?? NaN);
    answers.full.push(full.predicted[place] ?? NaN);
    answers.variant.push(variant.predicted[place] ?? NaN);
  }
  return answers;
}
