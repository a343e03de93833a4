import { join } from 'node:path';
import { evaluateModel, reportOf } from '../../activities/evaluate/evaluate-model.js';
import type { ActivityDeps } from '../../activities/deps.js';
import type { EpochFigures, TrainProgress } from '../../contract/frames.js';
import type { EvaluationReport, GateResult } from '../../contract/evaluation.js';
import type { DataReport } from '../../contract/snapshot.js';
import { judgeGates } from '../../domain/gates.js';
import type { ReadDefinition } from '../../runtime/definition/read.js';
import { trainInChild } from '../../runtime/train/train.js';
import { buildSample } from './snapshot.js';

export interface Attempt {
  readonly model: string; readonly file: string; readonly trainingDigest: string; readonly policyDigest: string;
  readonly rows: number; readonly data: DataReport;
  /** Null where the data was blocked, and nothing trained. */
  readonly trained: { readonly history: readonly EpochFigures[]; readonly parameters: number; readonly seconds: number; readonly evaluation: EvaluationReport; readonly gates: readonly GateResult[] } | null;
}

/** One definition on a sample: data checked, network trained, test rows judged. What a gate says of a sample is a hint, not a verdict. */
export async function attempt({ deps, read, rows, epochs, folder, signal, onProgress }: { deps: ActivityDeps; read: ReadDefinition; rows: number; epochs: number; folder: string; signal: AbortSignal; onProgress: (progress: TrainProgress) => void }): Promise<Attempt> {
  const { definition, file, trainingDigest, policyDigest, networkBundle } = read;
  const sample = await buildSample({ deps, definition, code: read.bundle.code, rows, folder, signal });
  const about = { model: definition.name, file, trainingDigest, policyDigest, rows: sample.rows, data: sample.report };
  if (sample.report.blocked) return { ...about, trained: null };
  const begun = Date.now();
  const { modelDirectory, history, parameters } = await trainInChild({
    definition: { ...definition, training: { ...definition.training, quickPass: { rows, epochs } } }, bundleCode: networkBundle?.code ?? null, snapshot: sample.snapshot,
    attemptDirectory: join(folder, 'attempt'), resumeFrom: null, mode: 'quick', tfjsNode: deps.tfjsNode, signal, onProgress,
  });
  const seconds = (Date.now() - begun) / 1000;
  // A sample has not every category: what the model would refuse is no fault of the definition.
  const evaluation = reportOf(await evaluateModel({ deps, directory: modelDirectory, snapshot: sample.snapshot, refused: 'predict', signal }), definition, sample.snapshot.manifest.digest);
  const gates = judgeGates({ gates: definition.evaluation.gates, overall: evaluation.overall, slices: evaluation.slices, paired: [], liveVersion: null });
  return { ...about, trained: { history, parameters, seconds, evaluation, gates } };
}
