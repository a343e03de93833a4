import { durationMs } from '../../definition/common.js';
import { Retraining } from '../../definition/operation.js';
import { workflowId } from '../../contract/names.js';
import type { RunError, RunStatus } from '../../contract/run.js';
import { TrainRequest } from '../../contract/signals.js';
import { sha256Hex } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { requireRun } from '../lookup.js';
import { createRunMaker } from './make-run.js';

export type StartedRun = { readonly kind: 'run'; readonly run: string; readonly open: boolean } | { readonly kind: 'refused' };
/** What the governor has to know of the applied definition. */
export interface GovernorPolicy {
  readonly cooldownMs: number; readonly debounceMs: number; readonly newer: 'supersede' | 'queue';
  readonly budget: { readonly runs: number; readonly perMs: number }; readonly everyMs: number | null;
}

const OPEN: readonly RunStatus[] = ['queued', 'running', 'waiting'];

/** What a governor asks of the record: whether a request is one, the runs it starts and drops, and how they are spaced. */
export function createGovernorRecord(deps: ActivityDeps) {
  const { stores, temporal } = deps;
  const makeRun = createRunMaker(deps);
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
  };
}
