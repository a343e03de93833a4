import { durationMs } from '../../definition/common.js';
import { Retraining } from '../../definition/operation.js';
import { tighten } from '../../domain/policy.js';
import { PerennialError } from '../../contract/errors.js';
import type { DataReport } from '../../contract/snapshot.js';
import type { RunError, RunStatus, RunStep } from '../../contract/run.js';
import { workflowId } from '../../contract/names.js';
import { TrainRequest } from '../../contract/signals.js';
import { digestOf, sha256Hex } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../../stores/json-objects.js';
import { plannedVariants } from '../compress/made.js';
import type { PlannedVariant } from '../compress/made.js';
import { requireFittingSets } from '../data/frozen/open.js';
import { requireDefinition, requireRun } from '../lookup.js';
import { Candidate } from '../train/candidate.js';

/** What a lifecycle has to know of its run's definition and of its environment's policy. */
export interface RunPlan {
  readonly commit: string; readonly environment: string; readonly automatic: boolean;
  readonly deadlineMs: number; readonly reminderMs: number; readonly keepWarmMs: number;
  /** Smaller forms of what is trained that are made and held against it; absent where there are none. */
  readonly variants?: readonly PlannedVariant[];
}

export type StartedRun = { readonly kind: 'run'; readonly run: string; readonly open: boolean } | { readonly kind: 'refused' };
export type TrainedBefore =
  | { readonly kind: 'new' }
  /** Trained elsewhere: its network is taken as it is. */
  | { readonly kind: 'imported'; readonly format: string }
  /** Trained, but no gate let it pass then: the same weights are judged again, by the gates of now. */
  | { readonly kind: 'candidate'; readonly run: string }
  | { readonly kind: 'policy-only'; readonly version: string }
  | { readonly kind: 'unchanged'; readonly version: string };

/** What the governor has to know of the applied definition. */
export interface GovernorPolicy {
  readonly cooldownMs: number; readonly debounceMs: number; readonly newer: 'supersede' | 'queue';
  readonly budget: { readonly runs: number; readonly perMs: number }; readonly everyMs: number | null;
}

export type EndStatus = Exclude<RunStatus, 'queued' | 'running' | 'waiting'>;
const OPEN: readonly RunStatus[] = ['queued', 'running', 'waiting'];

export type RecordActivities = ReturnType<typeof createRecordActivities>;

/** An imported network is another one than that which the definition's training gives, and never taken for it. */
function trainingDigestOf({ reason: { imported } }: TrainRequest, trainingDigest: string): string {
  return imported ? digestOf({ imported: imported.files.sha256, trainingDigest }) : trainingDigest;
}

/** Short reads and writes of a run's record. Each is one idempotent statement or reads only, so running twice changes nothing. */
export function createRecordActivities({ stores, artifacts, temporal }: ActivityDeps) {
  return {
    /** Parses what claims to be a request to train; null, with a line in the ledger, when it is not one. */
    async admitTrainRequest({ model, payload }: { model: string; payload: unknown }): Promise<TrainRequest | null> {
      const parsed = TrainRequest.safeParse(payload);
      if (parsed.success) return parsed.data;
      const digest = sha256Hex(JSON.stringify(payload ?? null));
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `malformed-request/${digest}`, actor: 'unknown', action: 'request-refused', subject: { payload: digest, problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) }, at: new Date().toISOString() });
      return null;
    },

    /** The run row, unique on model and cause: a repeated request finds the run it made before. */
    async createRun({ model, request }: { model: string; request: TrainRequest }): Promise<StartedRun> {
      const made = await makeRun(model, request);
      return made ? { kind: 'run', run: made.id, open: OPEN.includes(made.status) } : { kind: 'refused' };
    },

    /** A request that another one answers. A commit leaves a run that says so, because its committer looks for it. */
    async dropRequest({ model, request, outcome, into }: { model: string; request: TrainRequest; outcome: 'superseded' | 'merged'; into: string }): Promise<void> {
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `dropped/${request.id}`, actor: request.reason.by, action: `request-${outcome}`, subject: { cause: request.cause, into }, at: new Date().toISOString() });
      if (request.reason.kind !== 'commit') return;
      const made = await makeRun(model, request);
      if (!made) return;
      await stores.runs.end(made.id, 'superseded');
      await stores.runs.appendEvent({ run: made.id, eventId: 'end', at: new Date().toISOString(), kind: 'end', message: `superseded by a newer request (${into}) before it began`, data: { status: 'superseded', into } });
    },

    /** The run's status, after asking Temporal whether its workflow still lives: one that was terminated by hand is ended here. */
    async lookAtRun({ model, run: id }: { model: string; run: string }): Promise<RunStatus> {
      const run = await requireRun(stores, id);
      if (!OPEN.includes(run.status)) return run.status;
      const { status } = await temporal.workflow.getHandle(workflowId.lifecycle(model, id)).describe();
      if (status.name === 'RUNNING' || status.name === 'UNSPECIFIED' || status.name === 'UNKNOWN') return run.status;
      const again = await requireRun(stores, id);
      if (!OPEN.includes(again.status)) return again.status;
      const error: RunError = { code: 'unexpected', message: `its workflow ended as ${status.name.toLowerCase()} without a word`, next: 'Start it again with `perennial retrain`.' };
      await stores.runs.end(id, 'failed', error);
      await stores.runs.appendEvent({ run: id, eventId: 'end', at: new Date().toISOString(), kind: 'end', message: error.message, data: { status: 'failed', error } });
      return 'failed';
    },

    async governorPolicy({ model }: { model: string }): Promise<GovernorPolicy> {
      const [current, known] = await Promise.all([stores.models.currentDefinition(model), stores.models.get(model)]);
      const retraining = current?.definition.retraining ?? Retraining.parse({});
      return {
        cooldownMs: durationMs(retraining.cooldown), debounceMs: durationMs(retraining.debounce), newer: retraining.newer,
        budget: { runs: retraining.budget.runs, perMs: durationMs(retraining.budget.per) },
        everyMs: retraining.every && !known?.removed ? durationMs(retraining.every) : null,
      };
    },

    /** Reads the definition against its environment's policy and the frozen test sets that it names; both may have changed since intake. */
    async planRun({ run: id }: { model: string; run: string }): Promise<RunPlan> {
      const run = await requireRun(stores, id);
      const { definition } = await requireDefinition(stores, run.model, run.commit);
      const environment = await stores.environments.get(definition.release.environment);
      if (!environment) throw new PerennialError('definition/weakens-policy', `${run.model} releases to ${definition.release.environment}, an environment that does not exist`);
      const tightened = tighten(environment.policy, definition);
      if (!tightened.ok) throw new PerennialError('definition/weakens-policy', tightened.problems.join('; '));
      await requireFittingSets({ stores, artifacts }, definition);
      return {
        commit: run.commit, environment: definition.release.environment, automatic: tightened.effective.automatic,
        deadlineMs: tightened.effective.deadlineMs, reminderMs: durationMs(definition.approval.reminderAfter), keepWarmMs: durationMs(definition.release.keepWarm),
        ...(definition.compression ? { variants: plannedVariants(definition.compression) } : {}),
      };
    },

    async enterStep({ run, event, step, status, message }: { run: string; event: string; step: RunStep; status: 'running' | 'waiting'; message: string }): Promise<void> {
      await stores.runs.setStep(run, step, status);
      await stores.runs.appendEvent({ run, eventId: event, at: new Date().toISOString(), kind: 'step', step, message, data: {} });
    },

    /** Binds the snapshot to the run; refuses one that validation blocked. */
    async admitSnapshot({ run, snapshot }: { model: string; run: string; snapshot: { digest: string; blocked: boolean; report: DataReport } }): Promise<void> {
      for (const [index, finding] of snapshot.report.findings.entries()) {
        await stores.runs.appendEvent({ run, eventId: `data-${index}`, at: new Date().toISOString(), kind: 'note', step: 'validate', message: `${finding.severity}: ${finding.message} (${finding.count})`, data: { ...finding } });
      }
      if (snapshot.blocked) {
        const blocking = snapshot.report.findings.filter((finding) => finding.severity === 'block');
        throw new PerennialError('data/blocked', blocking.map((finding) => `${finding.message}: ${finding.rows.slice(0, 5).join(', ')}`).join('; '), { findings: blocking });
      }
      await stores.runs.setFields(run, { snapshot: snapshot.digest });
    },

    /**
     * Whether this training already happened. A commit that leaves the training digest of the newest registered version is a
     * change of policy; any other reason trains unless the snapshot is the same too.
     */
    async trainedBefore({ model, run: id, snapshot }: { model: string; run: string; snapshot: string }): Promise<TrainedBefore> {
      const run = await requireRun(stores, id);
      const otherwise: TrainedBefore = run.reason.imported ? { kind: 'imported', format: run.reason.imported.format } : { kind: 'new' };
      if (run.reason.force) return otherwise;
      const same = await stores.runs.trainedBefore(model, run.trainingDigest, snapshot, id);
      if (same && same.version === null) return same.candidate ? { kind: 'candidate', run: same.run } : otherwise;
      const known = (await stores.versions.list(model)).filter((version) => version.run !== id && version.trainingDigest === run.trainingDigest);
      const newest = known.filter((version) => !['rejected', 'quarantined'].includes(version.status)).sort((a, b) => b.version - a.version)[0];
      const found = known.find((version) => version.version === same?.version) ?? (run.reason.kind === 'commit' ? newest : undefined);
      if (!found) return otherwise;
      const trainedBy = await requireRun(stores, found.run);
      return { kind: trainedBy.policyDigest === run.policyDigest ? 'unchanged' : 'policy-only', version: `${model}@${found.version} (${found.status})` };
    },

    /** Takes over what an earlier run trained from the same code and data. */
    async adoptCandidate({ run, from }: { run: string; from: string }): Promise<Candidate> {
      const { candidate } = await requireRun(stores, from);
      if (!candidate) throw new PerennialError('run/unknown', `run ${from} holds no candidate`);
      await stores.runs.setFields(run, { candidate });
      const curve = await stores.learningCurves.get(from);
      if (curve) await stores.learningCurves.save({ ...curve, subject: run });
      return Candidate.parse(await readJson(artifacts, candidate));
    },

    async applyPolicy({ model, run: id }: { model: string; run: string }): Promise<void> {
      const run = await requireRun(stores, id);
      await stores.models.setAppliedPolicy(model, run.commit, run.policyDigest);
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `policy/${id}`, actor: run.reason.by, action: 'policy-applied', subject: { run: id, commit: run.commit, policyDigest: run.policyDigest }, at: new Date().toISOString() });
    },

    /** First end wins. */
    async endRun({ run, status, message, error }: { model: string; run: string; status: EndStatus; message: string; error?: RunError | undefined }): Promise<void> {
      await stores.runs.end(run, status, error);
      await stores.runs.appendEvent({ run, eventId: 'end', at: new Date().toISOString(), kind: 'end', message, data: { status, ...(error ? { error } : {}) } });
    },
  };

  /** Null, with a line in the ledger, when there is no such model or definition, or its file was removed: the request is not met. */
  async function makeRun(model: string, request: TrainRequest) {
    try {
      await requireHeld(model, request);
      const commit = request.commit ?? await retrainingCommit(model);
      const known = await requireDefinition(stores, model, commit);
      const { run } = await stores.runs.create({ model, cause: request.cause, reason: request.reason, commit, trainingDigest: trainingDigestOf(request, known.trainingDigest), policyDigest: known.policyDigest });
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `run/${run.id}`, actor: request.reason.by, action: 'run-started', subject: { run: run.id, cause: request.cause, kind: request.reason.kind, commit }, at: run.createdAt });
      return run;
    } catch (error) {
      if (!(error instanceof PerennialError) || error.retryable) throw error;
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `refused/${request.id}`, actor: request.reason.by, action: 'request-refused', subject: { cause: request.cause, code: error.code, message: error.message }, at: new Date().toISOString() });
      return null;
    }
  }

  /** Of a model whose file is gone a run begins only where a person asks for one. */
  async function requireHeld(model: string, { reason }: TrainRequest): Promise<void> {
    const removed = reason.kind === 'request' || reason.kind === 'import' ? null : (await stores.models.get(model))?.removed;
    if (removed) throw new PerennialError('model/removed', `commit ${removed.commit.slice(0, 12)} does not hold ${model} any more: nothing is trained of it by ${reason.kind}`, { commit: removed.commit });
  }

  /** A retraining uses the live version's commit; or a later one that only changed policy. */
  async function retrainingCommit(model: string): Promise<string> {
    const current = await stores.models.currentDefinition(model);
    if (!current) throw new PerennialError('model/unknown', `model ${model} has no accepted definition`);
    const route = await stores.routes.current(current.definition.release.environment, model);
    const live = route?.arms.find((arm) => arm.role === 'live');
    if (!live) return current.commit;
    const version = await stores.versions.get(model, live.version);
    if (!version) throw new PerennialError('version/unknown', `${model}@${live.version} is routed but not registered`);
    return current.trainingDigest === version.trainingDigest ? current.commit : version.commit;
  }
}
