import { allHandlersFinished, condition, continueAsNew, defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';
import { SIGNALS } from '../contract/names.js';
import type { PauseRequest, ReleaseReply, ReleaseRequest, ResumeRequest, RollbackRequest, RouteChanged } from '../contract/signals.js';
import { undoIntent } from '../domain/admission.js';
import { admission, notify, release } from './support/activities.js';
import { capped, text } from './support/inbox.js';
import { toRunError } from './support/failure.js';

type Request =
  | { readonly kind: 'release'; readonly id: string; readonly payload: ReleaseRequest }
  | { readonly kind: 'rollback'; readonly id: string; readonly payload: RollbackRequest }
  | { readonly kind: 'resume'; readonly id: string; readonly payload: ResumeRequest }
  | { readonly kind: 'pause'; readonly id: string; readonly payload: PauseRequest }
  | { readonly kind: 'routeChanged'; readonly id: string; readonly payload: RouteChanged };

export interface EnvironmentInput {
  readonly v: 1; readonly model: string; readonly environment: string;
  /** Carried over continue-as-new. */
  readonly queue?: readonly Request[]; readonly handled?: readonly string[];
}

export const releaseSignal = defineSignal<[ReleaseRequest]>(SIGNALS.release);
export const rollbackSignal = defineSignal<[RollbackRequest]>(SIGNALS.rollback);
export const resumeSignal = defineSignal<[ResumeRequest]>(SIGNALS.resume);
export const pauseSignal = defineSignal<[PauseRequest]>(SIGNALS.pause);
export const routeChangedSignal = defineSignal<[RouteChanged]>(SIGNALS.routeChanged);

/** What an operator asks goes ahead of the releases that wait. */
const URGENCY = { rollback: 0, pause: 1, resume: 2, routeChanged: 3, release: 4 } as const;
const REMEMBERED_IDS = 500;
const EVENTS_BEFORE_CONTINUING = 4_000;
/** How long a replica may take to serve a new version before the release is called failed. */
const CONFIRM_MS = 60_000;

/** The only writer of what an environment serves of a model: releases one at a time, rollbacks first. */
export async function environment(input: EnvironmentInput): Promise<void> {
  const { model, environment: name } = input;
  const queue: Request[] = [...(input.queue ?? [])];
  const handled: string[] = [...(input.handled ?? [])];
  let heldUntil = 0;

  const accept = <K extends Request['kind']>(kind: K) => (payload: Extract<Request, { kind: K }>['payload']) => {
    const id = text(payload, 'id');
    if (id === undefined || capped(payload) === null || handled.includes(id) || queue.some((request) => request.id === id)) return;
    queue.push({ kind, id, payload } as Request);
    if (kind !== 'release') heldUntil = 0;
  };
  setHandler(releaseSignal, accept('release'));
  setHandler(rollbackSignal, accept('rollback'));
  setHandler(resumeSignal, accept('resume'));
  setHandler(pauseSignal, accept('pause'));
  setHandler(routeChangedSignal, accept('routeChanged'));

  const done = (request: Request) => {
    queue.splice(queue.indexOf(request), 1);
    handled.push(request.id);
    if (handled.length > REMEMBERED_IDS) handled.splice(0, handled.length - REMEMBERED_IDS);
  };

  for (;;) {
    await waitForWork();
    if (workflowInfo().historyLength > EVENTS_BEFORE_CONTINUING || workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof environment>({ v: 1, model, environment: name, queue, handled });
    }
    const request = [...queue].sort((a, b) => URGENCY[a.kind] - URGENCY[b.kind])[0];
    if (!request) continue;
    switch (request.kind) {
      case 'release': if (!(await handleRelease(request.payload))) continue; break;
      case 'rollback': await handleRollback(request.payload); break;
      case 'pause': await admission.setPaused({ model, environment: name, paused: true, request: request.payload }); break;
      case 'resume': await admission.setPaused({ model, environment: name, paused: false, request: request.payload }); break;
      case 'routeChanged': await admission.reconcileRoute({ model, environment: name }); break;
    }
    done(request);
  }

  /** Operators' requests wake it at once; releases that are held (freeze, pause) wait for their time. */
  async function waitForWork(): Promise<void> {
    const urgent = () => queue.some((request) => request.kind !== 'release');
    const wait = heldUntil - Date.now();
    if (queue.length > 0 && wait > 0) await condition(urgent, wait);
    else await condition(() => queue.length > 0);
  }

  /** True when it is settled; false when it has to wait for a freeze or a pause to end. */
  async function handleRelease(request: ReleaseRequest): Promise<boolean> {
    const verdict = await admission.admitRelease({ model, environment: name, request });
    if (verdict.kind === 'hold') { heldUntil = Date.now() + verdict.waitMs; return false; }
    if (verdict.kind === 'answer') { await reply(request, verdict.reply); return true; }

    const written = await release.writeRoute({ environment: name, model, expected: verdict.generation, intent: request.id, version: request.version, keepWarmMs: request.keepWarmMs, by: request.by, reason: `release of ${model}@${request.version}` });
    if (!written.ok) { await reply(request, { outcome: 'stale', generation: written.generation, message: 'the route was written by somebody else meanwhile', unconfirmed: [] }); return true; }

    const confirmed = await release.confirmRoute({ environment: name, model, generation: written.generation, version: request.version, timeoutMs: CONFIRM_MS })
      .catch((error: unknown) => ({ confirmed: [], unconfirmed: [], failed: [{ replica: name, message: toRunError(error).message }] }));
    if (confirmed.failed.length > 0) {
      const message = confirmed.failed.map((failure) => `${failure.replica}: ${failure.message}`).join('; ');
      await release.writeRoute({ environment: name, model, expected: written.generation, intent: undoIntent(request.id), version: verdict.liveVersion, keepWarmMs: request.keepWarmMs, by: request.by, reason: `${model}@${request.version} could not be served: ${message}` });
      await admission.recordReleaseFailed({ model, environment: name, request, message });
      await reply(request, { outcome: 'failed', generation: written.generation + 1, message, unconfirmed: [] });
      return true;
    }
    await admission.recordReleased({ model, environment: name, request, generation: written.generation, previous: verdict.liveVersion, confirmed: confirmed.confirmed, unconfirmed: confirmed.unconfirmed });
    await reply(request, { outcome: 'released', generation: written.generation, message: `${model}@${request.version} is live`, unconfirmed: confirmed.unconfirmed });
    await notify.keepMonitor({ model, environment: name });
    await notify.anchorLedger({ chain: `${model}/${name}` });
    return true;
  }

  async function handleRollback(request: RollbackRequest): Promise<void> {
    const choice = await admission.chooseRollback({ model, environment: name, request });
    if (choice.kind === 'refused') return;
    const written = await release.writeRoute({ environment: name, model, expected: choice.generation, intent: request.id, version: choice.to, keepWarmMs: choice.keepWarmMs, by: request.by, reason: request.reason });
    if (!written.ok) { await admission.refuseRollback({ model, environment: name, request, message: 'the route was written by somebody else meanwhile: look, and ask again' }); return; }
    const confirmed = await release.confirmRoute({ environment: name, model, generation: written.generation, version: choice.to, timeoutMs: CONFIRM_MS });
    await admission.recordRollback({ model, environment: name, request, from: choice.from, to: choice.to, generation: written.generation, confirmed: confirmed.confirmed, unconfirmed: [...confirmed.unconfirmed, ...confirmed.failed.map((failure) => failure.replica)] });
    // Releases of the version that was left do not come back by the queue.
    for (const waiting of queue.filter((item) => item.kind === 'release' && item.payload.version === choice.from)) {
      done(waiting);
      await reply(waiting.payload as ReleaseRequest, { outcome: 'refused', generation: written.generation, message: `${model}@${choice.from} was rolled back and is quarantined`, unconfirmed: [] });
    }
    await notify.keepMonitor({ model, environment: name });
    await notify.anchorLedger({ chain: `${model}/${name}` });
  }

  async function reply(request: ReleaseRequest, answer: Omit<ReleaseReply, 'v' | 'id'>): Promise<void> {
    await notify.replyReleased({ to: request.replyTo, reply: { v: 1, id: request.id, ...answer } });
  }
}
