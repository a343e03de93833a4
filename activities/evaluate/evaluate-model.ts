import type { EvaluationReport, Mistake, PairedCounts } from '../../contract/evaluation.js';
import type { Slice } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import { classificationReport } from '../../domain/classification.js';
import { OVERALL } from '../../domain/gates.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import type { GoldenPredictions } from '../../contract/package.js';
import type { OpenSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';

export interface EvaluatedRow { readonly key: string; readonly attributes: Readonly<Record<string, string>>; readonly actual: string; readonly predicted: string; readonly probabilities: readonly number[] }
export interface Evaluated { readonly rows: readonly EvaluatedRow[]; readonly mistakes: readonly Mistake[]; readonly golden: GoldenPredictions }

/** Runs a model's folder over the test split in a child process. */
export async function evaluateModel({ deps, directory, snapshot, signal }: { deps: ActivityDeps; directory: string; snapshot: OpenSnapshot; signal: AbortSignal }): Promise<Evaluated> {
  const { classes, keys, attributes, actual, predicted, probabilities, mistakes, golden } = await evaluateInChild({ modelDirectory: directory, snapshot, split: 'test', tfjsNode: deps.tfjsNode, signal });
  const rows = keys.map((key, row): EvaluatedRow => ({
    key, attributes: attributes[row] ?? {}, actual: classes[actual[row] ?? 0] ?? '', predicted: classes[predicted[row] ?? 0] ?? '',
    probabilities: [...probabilities.subarray(row * classes.length, (row + 1) * classes.length)],
  }));
  return { rows, mistakes, golden };
}

const inSlice = (slice: Slice) => (row: EvaluatedRow) => Object.entries(slice.where).every(([name, value]) => row.attributes[name] === value);

/** The report that gates and approvers read: all test rows, and every declared slice, those without rows too. */
export function reportOf({ rows, mistakes }: Pick<Evaluated, 'rows' | 'mistakes'>, { data, evaluation }: ModelDefinition, snapshot: string): EvaluationReport {
  return {
    v: 1, snapshot, overall: classificationReport(data.target.classes, rows),
    slices: evaluation.slices.map((slice) => ({ name: slice.name, report: classificationReport(data.target.classes, rows.filter(inSlice(slice))) })),
    mistakes: [...mistakes],
  };
}

/** Both models on the same rows, overall and per slice. */
export function pairedCounts(candidate: readonly EvaluatedRow[], live: readonly EvaluatedRow[], slices: readonly Slice[]): PairedCounts[] {
  const said = new Map(live.map((row) => [row.key, row.predicted]));
  const count = (slice: string, rows: readonly EvaluatedRow[]): PairedCounts => {
    const counts = { slice, both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 };
    for (const row of rows) {
      const before = said.get(row.key);
      if (before === undefined) continue;
      const right = row.predicted === row.actual;
      const wasRight = before === row.actual;
      counts[right ? (wasRight ? 'both' : 'onlyCandidate') : (wasRight ? 'onlyLive' : 'neither')] += 1;
    }
    return counts;
  };
  return [count(OVERALL, candidate), ...slices.map((slice) => count(slice.name, candidate.filter(inSlice(slice))))];
}
