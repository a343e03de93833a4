import type { FrozenReports } from '../../domain/gates.js';
import { PerennialError } from '../../contract/errors.js';
import { testRowsOf } from '../../domain/frozen.js';
import { headlineText } from '../../domain/quality.js';
import type { EvaluationReport } from '../../contract/evaluation.js';
import type { Gate } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import { openFrozen, requireFittingSets, requireFrozenSet } from '../data/frozen/open.js';
import type { OpenSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { compareModels, reportOf } from './evaluate-model.js';
import type { Evaluated } from './evaluate-model.js';

export interface FrozenQuestion {
  readonly run: string; readonly definition: ModelDefinition; readonly gates: readonly Gate[];
  /** The run's own snapshot, and what was said of its test rows. */
  readonly snapshot: OpenSnapshot; readonly candidate: Evaluated;
  readonly predict: (rows: OpenSnapshot) => Promise<Evaluated>;
  /** What is live, and the run that trained it; null where nothing is. */
  readonly live: { readonly run: string; readonly predict: (rows: OpenSnapshot) => Promise<Evaluated> } | null;
}

/**
 * Measures a candidate on every frozen test set that its definition names, and what is live where a gate compares them there. The figures go to
 * the sets' records, one for each run and set of rows, so a second try writes the same.
 */
export async function measureFrozen(deps: ActivityDeps, { run, definition, gates, snapshot, candidate, predict, live }: FrozenQuestion, signal: AbortSignal): Promise<FrozenReports[]> {
  const { stores } = deps;
  const { name: model, evaluation } = definition;
  await requireFittingSets(deps, definition);
  const compared = new Set(gates.flatMap(({ kind, frozen }) => (kind === 'not-worse-than-live' && frozen !== undefined ? [frozen] : [])));
  const reports: FrozenReports[] = [];
  for (const name of evaluation.frozen ?? []) {
    signal.throwIfAborted();
    const { manifest, localShards } = await openFrozen(deps, await requireFrozenSet(deps, model, name), signal);
    const [own, frozen] = [snapshot.manifest.content.personal?.key, manifest.content.personal?.key];
    if (own !== undefined && frozen !== undefined && own !== frozen) throw new PerennialError('test-set/misfit', `evaluation.frozen: the pseudonyms of the frozen test set ${name} were made with the key ${frozen}, those of the candidate with the key ${own}`, { model, name });
    const rows: OpenSnapshot = { manifest, localShards };
    const { digest } = manifest;
    const said = testRowsOf(manifest) === testRowsOf(snapshot.manifest) ? candidate : await predict(rows);
    const report = figuresOf(said, definition, digest);
    await stores.frozen.measured({ model, name, digest, run, report });
    await stores.runs.appendEvent({ run, eventId: `frozen-${name}-${digest.slice(0, 12)}`, at: new Date().toISOString(), kind: 'note', step: 'evaluate', message: `frozen test set ${name}: ${headlineText(report.overall)} on ${report.overall.n} rows`, data: { name, digest } });
    const other = live && compared.has(name) ? await live.predict(rows) : null;
    if (live && other) await stores.frozen.measured({ model, name, digest, run: live.run, report: figuresOf(other, definition, digest) });
    reports.push({ name, overall: report.overall, slices: report.slices, paired: other ? compareModels(said, other, evaluation.slices) : [] });
  }
  return reports;
}

/** The figures alone: what a model hangs on, and its worst rows, are told of its own test rows. */
function figuresOf(said: Evaluated, definition: ModelDefinition, digest: string): EvaluationReport {
  const { features: _, ...report } = reportOf(said, definition, digest);
  return { ...report, mistakes: [] };
}
