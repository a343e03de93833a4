import type { EvaluationReport, Paired, PairedCounts, QualityReport } from '../../contract/evaluation.js';
import type { Slice } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import { classificationReport } from '../../domain/classification.js';
import { OVERALL } from '../../domain/gates.js';
import { pairedErrors, regressionReport } from '../../domain/regression.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import type { Evaluated, EvaluatedClasses, EvaluatedValues } from '../../runtime/evaluate/evaluate.js';
import type { OpenSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import type { ExpectedAnswer } from '../deploy/expected.js';
import { lowestKeys } from '../lowest-keys.js';

export type { Evaluated } from '../../runtime/evaluate/evaluate.js';

/** Runs a model's folder over the test split in a child process. `refused`: what becomes of rows that the model does not take; `importance`: whether to find out what its answers hang on. */
export function evaluateModel({ deps, directory, snapshot, refused = 'block', importance = false, signal }: { deps: ActivityDeps; directory: string; snapshot: OpenSnapshot; refused?: 'block' | 'predict'; importance?: boolean; signal: AbortSignal }): Promise<Evaluated> {
  return evaluateInChild({ modelDirectory: directory, snapshot, split: 'test', refused, importance, tfjsNode: deps.tfjsNode, signal });
}

/** What reports and comparisons are made of. */
export type Judged = Pick<EvaluatedClasses, 'task' | 'classes' | 'attributes' | 'actual' | 'predicted'> | Pick<EvaluatedValues, 'task' | 'attributes' | 'actual' | 'predicted'>;

/** The places of a slice's rows; of all rows where there is no slice. A test split may have millions, so that none becomes an object. */
export function* placesOf({ attributes }: Pick<Judged, 'attributes'>, slice: Slice | null): Generator<number> {
  const wanted = Object.entries(slice?.where ?? {});
  for (const [row, own] of attributes.entries()) if (wanted.every(([name, value]) => own[name] === value)) yield row;
}

function report(judged: Judged, slice: Slice | null): QualityReport {
  if (judged.task === 'regression') return regressionReport(judged, placesOf(judged, slice));
  const { classes, actual, predicted } = judged;
  const confusion = classes.map(() => classes.map(() => 0));
  for (const row of placesOf(judged, slice)) {
    const line = confusion[actual[row] ?? -1];
    const column = predicted[row] ?? -1;
    if (line) line[column] = (line[column] ?? 0) + 1;
  }
  return classificationReport(classes, confusion);
}

/** The report that gates and approvers read: all test rows, and every declared slice, those without rows too. */
export function reportOf(evaluated: Judged & Partial<Pick<Evaluated, 'mistakes' | 'features'>>, { evaluation }: ModelDefinition, snapshot: string): EvaluationReport {
  return {
    v: 1, snapshot, overall: report(evaluated, null),
    slices: evaluation.slices.map((slice) => ({ name: slice.name, report: report(evaluated, slice) })),
    mistakes: [...evaluated.mistakes ?? []],
    ...(evaluated.features ? { features: evaluated.features } : {}),
  };
}

/** Both models on the same rows of one snapshot, overall and per slice. */
export function compareModels(candidate: Judged, live: Judged, slices: readonly Slice[]): Paired[] {
  if (candidate.actual.length !== live.actual.length || candidate.task !== live.task) throw new RangeError(`${candidate.actual.length} rows of a ${candidate.task} cannot be compared with ${live.actual.length} of a ${live.task}: both have to be of one snapshot`);
  return [{ name: OVERALL, slice: null }, ...slices.map((slice) => ({ name: slice.name, slice }))].map(({ name, slice }) => {
    const places = placesOf(candidate, slice);
    return candidate.task === 'regression' ? pairedErrors(name, candidate, live.predicted, places) : pairedCounts(name, candidate, live, places);
  });
}

function pairedCounts(slice: string, candidate: Judged, live: Judged, places: Iterable<number>): PairedCounts {
  const counts = { slice, both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 };
  for (const row of places) {
    const right = candidate.predicted[row] === candidate.actual[row];
    const wasRight = live.predicted[row] === live.actual[row];
    counts[right ? (wasRight ? 'both' : 'onlyCandidate') : (wasRight ? 'onlyLive' : 'neither')] += 1;
  }
  return counts;
}

type Said = Pick<EvaluatedClasses, 'task' | 'keys' | 'classes' | 'probabilities'> | Pick<EvaluatedValues, 'task' | 'keys' | 'predicted'>;

/** What a model said of the rows that the test environment will ask for. */
export function expectedRows(evaluated: Said, count: number): ExpectedAnswer[] {
  const chosen = lowestKeys(evaluated.keys, count);
  const answerOf = (row: number) => (evaluated.task === 'regression' ? { value: evaluated.predicted[row] ?? NaN } : { probabilities: [...evaluated.probabilities.subarray(row * evaluated.classes.length, (row + 1) * evaluated.classes.length)] });
  return evaluated.keys.flatMap((key, row) => (chosen.has(key) ? [{ key, ...answerOf(row) }] : []));
}
