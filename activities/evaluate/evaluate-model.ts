import type { EvaluationReport, PairedCounts } from '../../contract/evaluation.js';
import type { Slice } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import { classificationReport } from '../../domain/classification.js';
import { OVERALL } from '../../domain/gates.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import type { Evaluated } from '../../runtime/evaluate/evaluate.js';
import type { OpenSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { lowestKeys } from '../lowest-keys.js';

export type { Evaluated } from '../../runtime/evaluate/evaluate.js';

/** Runs a model's folder over the test split in a child process. `refused`: what becomes of rows that the model does not take. */
export function evaluateModel({ deps, directory, snapshot, refused = 'block', signal }: { deps: ActivityDeps; directory: string; snapshot: OpenSnapshot; refused?: 'block' | 'predict'; signal: AbortSignal }): Promise<Evaluated> {
  return evaluateInChild({ modelDirectory: directory, snapshot, split: 'test', refused, tfjsNode: deps.tfjsNode, signal });
}

type Judged = Pick<Evaluated, 'classes' | 'attributes' | 'actual' | 'predicted'>;

/** The places of a slice's rows; of all rows where there is no slice. A test split may have millions, so that none becomes an object. */
function* placesOf({ attributes }: Pick<Judged, 'attributes'>, slice: Slice | null): Generator<number> {
  const wanted = Object.entries(slice?.where ?? {});
  for (const [row, own] of attributes.entries()) if (wanted.every(([name, value]) => own[name] === value)) yield row;
}

function report(judged: Judged, slice: Slice | null) {
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
export function reportOf(evaluated: Judged & Partial<Pick<Evaluated, 'mistakes'>>, { evaluation }: ModelDefinition, snapshot: string): EvaluationReport {
  return {
    v: 1, snapshot, overall: report(evaluated, null),
    slices: evaluation.slices.map((slice) => ({ name: slice.name, report: report(evaluated, slice) })),
    mistakes: [...evaluated.mistakes ?? []],
  };
}

/** Both models on the same rows of one snapshot, overall and per slice. */
export function pairedCounts(candidate: Judged, live: Judged, slices: readonly Slice[]): PairedCounts[] {
  if (candidate.actual.length !== live.actual.length) throw new RangeError(`${candidate.actual.length} rows cannot be compared with ${live.actual.length}: both have to be of one snapshot`);
  const count = (name: string, slice: Slice | null): PairedCounts => {
    const counts = { slice: name, both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 };
    for (const row of placesOf(candidate, slice)) {
      const right = candidate.predicted[row] === candidate.actual[row];
      const wasRight = live.predicted[row] === live.actual[row];
      counts[right ? (wasRight ? 'both' : 'onlyCandidate') : (wasRight ? 'onlyLive' : 'neither')] += 1;
    }
    return counts;
  };
  return [count(OVERALL, null), ...slices.map((slice) => count(slice.name, slice))];
}

/** What a model said of the rows that the test environment will ask for. */
export function expectedRows({ classes, keys, probabilities }: Pick<Evaluated, 'classes' | 'keys' | 'probabilities'>, count: number): { key: string; probabilities: number[] }[] {
  const chosen = lowestKeys(keys, count);
  return keys.flatMap((key, row) => (chosen.has(key) ? [{ key, probabilities: [...probabilities.subarray(row * classes.length, (row + 1) * classes.length)] }] : []));
}
