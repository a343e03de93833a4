import type { CompressionReport } from '../../contract/compression.js';
import type { Gate } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import { decideVariant, FULL } from '../../domain/compression.js';
import type { MeasuredVariant, VariantQuestion } from '../../domain/compression.js';
import { judgeGates } from '../../domain/gates.js';
import { measureLatencies } from '../../runtime/evaluate/measure-latency.js';
import type { OpenSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { evaluateModel, reportOf } from '../evaluate/evaluate-model.js';
import type { Evaluated } from '../evaluate/evaluate-model.js';
import type { Candidate } from '../train/candidate.js';
import { fetchCandidate } from '../train/fetch-candidate.js';
import { lossesOf } from './losses.js';
import { howMade, networkFiles, requireVariant } from './made.js';
import type { Made } from './made.js';
import { latenciesOf, variantFolder } from './measure.js';

export interface VariantJudgement {
  readonly definition: ModelDefinition; readonly gates: readonly Gate[]; readonly snapshot: OpenSnapshot;
  readonly full: Candidate; readonly made: readonly Made[]; readonly directory: string; readonly signal: AbortSignal;
}

/** Evaluates the full network and every variant on the test rows, as a candidate is, times them against each other, and decides. */
export async function judgeVariants(deps: ActivityDeps, { definition, gates, snapshot, full, made, directory, signal }: VariantJudgement): Promise<CompressionReport> {
  const { compression } = definition;
  if (!compression) throw new Error(`the definition of ${definition.name} names no variants`);
  const networks = [{ name: FULL, candidate: full }, ...made.flatMap((one) => ('candidate' in one ? [one] : []))];
  const folders = networks.map((_, index) => variantFolder(directory, index));
  for (const [index, { candidate }] of networks.entries()) await fetchCandidate(deps.artifacts, candidate, folders[index] ?? directory);
  const latencies = await measureLatencies({ modelDirectories: folders, snapshot, tfjsNode: deps.tfjsNode, signal });
  const summaries = latenciesOf(latencies);
  // What compares with the live version, or on frozen rows, is judged of the one that is chosen.
  const limits = gates.filter((gate) => gate.kind !== 'not-worse-than-live' && gate.frozen === undefined);

  let whole: Evaluated | null = null;
  const measured = new Map<string, MeasuredVariant>();
  for (const [index, { name, candidate }] of networks.entries()) {
    const evaluated = await evaluateModel({ deps, directory: folders[index] ?? directory, snapshot, signal });
    whole ??= evaluated;
    const { overall, slices } = reportOf(evaluated, definition, snapshot.manifest.digest);
    measured.set(name, {
      name, how: name === FULL ? 'as it was trained' : howMade(requireVariant(compression, name)), bytes: sizeOf(candidate), overall,
      losses: lossesOf(evaluated, whole, definition), gates: judgeGates({ gates: limits, overall, slices, paired: [], liveVersion: null }), latencyMs: summaries[index] ?? null,
    });
  }
  const ofFull = measured.get(FULL);
  if (!ofFull) throw new Error('the full network was not measured');
  const variants = made.flatMap((one): VariantQuestion['variants'][number][] => {
    const found = measured.get(one.name);
    return 'error' in one ? [{ ...one, how: howMade(requireVariant(compression, one.name)) }] : found ? [found] : [];
  });
  return decideVariant({ compression, full: ofFull, variants, batchRows: latencies.batchRows });
}

/** Bytes of the network as it is stored; preprocessing and all else is the same of every variant. */
function sizeOf(candidate: Candidate): number {
  return networkFiles(candidate).reduce((sum, { ref }) => sum + ref.bytes, 0);
}
