import type { EvaluationReport, GateRecord, GateResult } from '../../contract/evaluation.js';
import type { Ref } from '../../contract/ref.js';
import type { RunError } from '../../contract/run.js';
import { canonicalJson } from '../../domain/canonical.js';
import { decideCandidate, judgeGates } from '../../domain/gates.js';
import { tighten } from '../../domain/policy.js';
import { ERRORS, PerennialError } from '../../contract/errors.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { OpenSnapshot } from '../data/open-snapshot.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { putJson } from '../../stores/json-objects.js';
import type { Version } from '../../stores/versions.js';
import { requireDefinition, requireRun, requireVersion } from '../lookup.js';
import { fetchPackage } from '../package/fetch-package.js';
import type { Candidate } from '../train/candidate.js';
import { fetchCandidate } from '../train/fetch-candidate.js';
import { compareModels, evaluateModel, expectedRows, reportOf } from './evaluate-model.js';
import type { Evaluated } from './evaluate-model.js';
import { measureFrozen } from './measure-frozen.js';

export interface Judgement {
  readonly verdict: GateResult['verdict']; readonly summary: string; readonly error?: RunError;
  /** What the candidate said of the test rows that the test environment is asked for, as JSON `[{key, probabilities}]` or `[{key, value}]`: it has to say the same. */
  readonly expected: Ref;
  /** Golden predictions for the package. */
  readonly golden: Ref;
}
export interface EvaluationRequest { readonly model: string; readonly run: string; readonly snapshot: string }
export type EvaluateActivities = ReturnType<typeof createEvaluateActivities>;

/** Evaluation on unseen data. It reads what is immutable and overwrites its own rows, so running twice gives the same record. */
export function createEvaluateActivities(deps: ActivityDeps) {
  const { stores, artifacts, scratch } = deps;
  return {
    evaluateCandidate: (request: EvaluationRequest & { readonly candidate: Candidate }): Promise<Judgement> =>
      judge(request, async (directory) => {
        await fetchCandidate(artifacts, request.candidate, directory);
        return directory;
      }),

    /** The registered version once more, against what is live now. */
    evaluateAgain: (request: EvaluationRequest & { readonly version: number }): Promise<Judgement> =>
      judge(request, async () => fetchPackage(deps, await requireVersion(stores, request.model, request.version))),
  };

  function judge({ model, run: id, snapshot: digest }: EvaluationRequest, open: (directory: string) => Promise<string>): Promise<Judgement> {
    return heartbeating((signal) => withWorkspace(scratch, 'evaluations', async (directory) => {
      const run = await requireRun(stores, id);
      const { definition } = await requireDefinition(stores, model, run.commit);
      const environment = definition.release.environment;
      const policy = (await stores.environments.get(environment))?.policy;
      const tightened = policy ? tighten(policy, definition) : null;
      if (!tightened?.ok) throw new PerennialError('definition/weakens-policy', tightened ? tightened.problems.join('; ') : `environment ${environment} does not exist`);

      const snapshot = await openSnapshot(deps, digest);
      const opened = await open(directory);
      const candidate = await evaluateModel({ deps, directory: opened, snapshot, importance: true, signal });
      const report = reportOf(candidate, definition, digest);

      const route = await stores.routes.current(environment, model);
      const liveArm = route?.arms.find((arm) => arm.role === 'live');
      const liveVersion = liveArm ? await requireVersion(stores, model, liveArm.version) : null;
      const live = liveVersion ? await evaluateLive(liveVersion, snapshot, signal) : null;
      const liveReport = live ? reportOf(live, definition, digest) : null;
      const paired = live ? compareModels(candidate, live, definition.evaluation.slices) : [];
      const frozen = await measureFrozen(deps, {
        run: id, definition, gates: tightened.effective.gates, snapshot, candidate,
        // What is no longer refused in training may be in rows of before: they are all measured.
        predict: (rows) => evaluateModel({ deps, directory: opened, snapshot: rows, refused: 'predict', signal }),
        live: liveVersion && { run: liveVersion.run, predict: (rows) => evaluateLive(liveVersion, rows, signal) },
      }, signal);
      const gates = judgeGates({ gates: tightened.effective.gates, overall: report.overall, slices: report.slices, paired, liveVersion: liveArm?.version ?? null, frozen });
      const verdict = decideCandidate(gates);

      await record(id, report, liveReport, { v: 1, gates, paired, live: { version: liveArm?.version ?? null, generation: route?.generation ?? 0, evaluation: liveReport?.overall ?? null } });
      const expected = await putJson(artifacts, expectedRows(candidate, definition.testEnvironment.rows));
      const golden = await artifacts.putBlob(new TextEncoder().encode(canonicalJson(candidate.golden)));
      const failed = gates.filter((gate) => gate.verdict === 'fail');
      const summary = failed.length > 0 ? `gate${failed.length > 1 ? 's' : ''} failed: ${failed.map((gate) => `${gate.gate} (${gate.reason})`).join('; ')}` : `gates: ${verdict}`;
      return { verdict, summary, expected, golden, ...(verdict === 'fail' ? { error: { code: 'gates/failed', message: summary, next: ERRORS['gates/failed'].next } } : {}) };
    }));
  }

  async function evaluateLive(version: Version, snapshot: OpenSnapshot, signal: AbortSignal): Promise<Evaluated> {
    const directory = await fetchPackage(deps, version);
    // Its mistakes are those of its own evaluation. It may refuse what the world has come to be, and has to be replaced all the same.
    return { ...await evaluateModel({ deps, directory, snapshot, refused: 'predict', signal }), mistakes: [] };
  }

  async function record(run: string, report: EvaluationReport, live: EvaluationReport | null, gates: GateRecord): Promise<void> {
    await stores.evaluations.save({ run, kind: 'offline', version: null, report, ref: null });
    if (live) await stores.evaluations.save({ run, kind: 'live-on-same-rows', version: gates.live.version, report: live, ref: null });
    await stores.evaluations.save({ run, kind: 'gates', version: null, report: gates, ref: null });
    for (const gate of gates.gates) {
      await stores.runs.appendEvent({ run, eventId: `gate-${gate.gate}-${gates.live.generation}`, at: new Date().toISOString(), kind: 'gate', step: 'evaluate', message: `${gate.verdict} ${gate.gate}: ${gate.reason}`, data: { ...gate } });
    }
  }
}
