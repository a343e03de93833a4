import { allHandlersFinished, condition, continueAsNew, defineSignal, getExternalWorkflowHandle, ParentClosePolicy, setHandler, startChild, workflowInfo, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { SIGNALS, workflowId } from '../contract/names.js';
import type { CancelRequest, RunEnded, TrainRequest } from '../contract/signals.js';
import { acceptRequest, decideNext, EMPTY_GOVERNOR, recordDrop, recordStart, recordStatus, recordSuperseding } from '../domain/governor.js';
import type { GovernorState } from '../domain/governor.js';
import type { GovernorPolicy } from '../activities/record/index.js';
import { lifecycle } from './lifecycle.js';
import { record } from './support/activities.js';
import { capped, Inbox, text } from './support/inbox.js';

export interface GovernorInput { readonly v: 1; readonly model: string; readonly state?: GovernorState }

export const trainSignal = defineSignal<[TrainRequest]>(SIGNALS.train);
export const runEndedSignal = defineSignal<[RunEnded]>(SIGNALS.runEnded);

const EVENTS_BEFORE_CONTINUING = 4_000;
/** Runs that vanished without a word (terminated by hand) are looked for this often. */
const LOOK_MS = 15 * 60_000;

/** Collects the reasons to train a model and alone starts its lifecycles. */
export async function governor({ model, state: carried }: GovernorInput): Promise<void> {
  let state = carried ?? EMPTY_GOVERNOR;
  const messages = new Inbox<{ kind: 'train'; payload: unknown } | { kind: 'status'; payload: RunEnded }>();
  setHandler(trainSignal, (payload) => messages.put({ kind: 'train', payload: capped(payload) }));
  setHandler(runEndedSignal, (payload) => messages.put({ kind: 'status', payload }));

  for (;;) {
    await takeMessages();
    const policy = await record.governorPolicy({ model });
    scheduleIfDue(policy);
    const step = decideNext(state, Date.now(), policy);
    switch (step.kind) {
      case 'start': await start(step.request); continue;
      case 'drop':
        await record.dropRequest({ model, request: step.request, outcome: step.outcome, into: step.into.cause });
        state = recordDrop(state, step.request);
        continue;
      case 'supersede':
        await stop(step.run, { v: 1, id: `${step.by.id}/supersedes/${step.run}`, by: step.by.reason.by, reason: `a newer request: ${step.by.reason.detail}`, superseded: true });
        state = recordSuperseding(state, step.run);
        continue;
      case 'wait': case 'idle': break;
    }
    if (workflowInfo().historyLength > EVENTS_BEFORE_CONTINUING || workflowInfo().continueAsNewSuggested) {
      await takeMessages();
      await condition(allHandlersFinished);
      await continueAsNew<typeof governor>({ v: 1, model, state });
    }
    await rest(step.kind === 'wait' ? step.ms : null, policy);
  }

  /** Until a message comes, a request has waited long enough, the schedule is due, or it is time to look after open runs. */
  async function rest(waitMs: number | null, { everyMs }: GovernorPolicy): Promise<void> {
    const last = state.starts.at(-1);
    const times = [waitMs, everyMs !== null && last ? last.at + everyMs - Date.now() : null, state.open.length > 0 ? LOOK_MS : null].filter((ms): ms is number => ms !== null);
    const waiting = () => messages.size > 0;
    if (times.length === 0) { await condition(waiting); return; }
    const heard = await condition(waiting, Math.max(1, Math.min(...times)));
    if (heard) return;
    for (const open of state.open) {
      const status = await record.lookAtRun({ model, run: open.run });
      state = recordStatus(state, open.run, status);
    }
  }

  async function takeMessages(): Promise<void> {
    for (let next = messages.take(); next; next = messages.take()) {
      if (next.kind === 'status') {
        if (text(next.payload, 'run') !== undefined) state = recordStatus(state, next.payload.run, next.payload.status);
        continue;
      }
      const request = await record.admitTrainRequest({ model, payload: next.payload });
      if (request) state = acceptRequest(state, request, Date.now());
    }
  }

  function scheduleIfDue({ everyMs }: GovernorPolicy): void {
    const last = state.starts.at(-1);
    if (everyMs === null || !last || state.open.length > 0 || Date.now() < last.at + everyMs) return;
    const id = `schedule/${last.run}`;
    state = acceptRequest(state, { v: 1, id, cause: id, commit: null, reason: { kind: 'schedule', detail: 'the time between trainings has passed', by: workflowId.governor(model), force: false } }, Date.now());
  }

  async function start(request: TrainRequest): Promise<void> {
    const made = await record.createRun({ model, request });
    if (made.kind === 'refused') { state = recordDrop(state, request); return; }
    if (made.open) {
      try {
        await startChild(lifecycle, {
          workflowId: workflowId.lifecycle(model, made.run), args: [{ v: 1, model, run: made.run }],
          parentClosePolicy: ParentClosePolicy.ABANDON, workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    }
    state = recordStart(state, { request, run: made.run, at: Date.now(), open: made.open });
  }

  async function stop(run: string, request: CancelRequest): Promise<void> {
    try {
      await getExternalWorkflowHandle(workflowId.lifecycle(model, run)).signal(SIGNALS.cancel, request);
    } catch {
      // It is over already: its end is on the way, or is found in its row.
      state = recordStatus(state, run, await record.lookAtRun({ model, run }));
    }
  }
}
