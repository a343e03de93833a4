import type { RunStatus } from '../contract/run.js';
import type { TrainRequest } from '../contract/signals.js';

/** How a model's runs are spaced: `retraining` of the applied definition, in milliseconds. */
export interface GovernorPolicy {
  readonly cooldownMs: number;
  readonly debounceMs: number;
  readonly newer: 'supersede' | 'queue';
  readonly budget: { readonly runs: number; readonly perMs: number };
}

/** A run that was started and has not ended. `ending`: it was told to stop for a newer commit. */
interface OpenRun { readonly run: string; readonly cause: string; readonly status: 'running' | 'waiting' | 'ending' }

/** The request that answers another one. */
type Answering = Pick<TrainRequest, 'cause'>;

/** All that a model's governor remembers, as plain JSON. Times are milliseconds since 1970. */
export interface GovernorState {
  /** In the order of arrival. `behind`: told of after a commit that comes after it. */
  readonly pending: readonly { readonly request: TrainRequest; readonly at: number; readonly behind?: Answering }[];
  /** The commit that no other one comes after, with what lies before it. */
  readonly newest?: Answering & { readonly commit: string; readonly ancestors: readonly string[] };
  readonly open: readonly OpenRun[];
  /** What cooldown and budget count. */
  readonly starts: readonly { readonly run: string; readonly at: number }[];
  /** Ids and causes that were settled, newest last; bounded, behind them stands the run table, unique on model and cause. */
  readonly handledIds: readonly string[];
  readonly handledCauses: readonly string[];
}

/** What to do next. Carry it out, note it with the `record…` function named, ask again; on `wait` and `idle` wait for a message (or `ms`). */
export type GovernorStep =
  /** {@link recordStart} */
  | { readonly kind: 'start'; readonly request: TrainRequest }
  /** {@link recordDrop}: this request is answered by another one. */
  | { readonly kind: 'drop'; readonly request: TrainRequest; readonly outcome: 'superseded' | 'merged'; readonly into: Answering }
  /** {@link recordSuperseding}: tell this run to stop, for `by`. */
  | { readonly kind: 'supersede'; readonly run: string; readonly by: TrainRequest }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'idle' };

const REMEMBERED = 1_000;

export const EMPTY_GOVERNOR: GovernorState = { pending: [], open: [], starts: [], handledIds: [], handledCauses: [] };

/** The state with one more request; the same state for one whose id or cause was seen before. */
export function acceptRequest(state: GovernorState, request: TrainRequest, at: number): GovernorState {
  const seen = state.handledIds.includes(request.id) || state.handledCauses.includes(request.cause)
    || state.open.some(({ cause }) => cause === request.cause)
    || state.pending.some(({ request: other }) => other.id === request.id || other.cause === request.cause);
  if (seen) return state;
  const { newest } = state;
  if (request.reason.kind !== 'commit' || request.commit === null) return { ...state, pending: [...state.pending, { request, at }] };
  if (newest?.ancestors.includes(request.commit)) return { ...state, pending: [...state.pending, { request, at, behind: { cause: newest.cause } }] };
  return { ...state, pending: [...state.pending, { request, at }], newest: { cause: request.cause, commit: request.commit, ancestors: request.ancestors ?? [] } };
}

/** The run of a pending request was started `at` this time. `open` false: its cause had a run before, which is over, so nothing was started. */
export function recordStart(state: GovernorState, { request, run, at, open = true }: { request: TrainRequest; run: string; at: number; open?: boolean }): GovernorState {
  const settled = settle(state, request);
  if (!open || settled.open.some((other) => other.run === run)) return settled;
  return {
    ...settled,
    open: [...settled.open, { run, cause: request.cause, status: 'running' }],
    starts: [...settled.starts, { run, at }].slice(-REMEMBERED),
  };
}

export function recordDrop(state: GovernorState, request: TrainRequest): GovernorState {
  return settle(state, request);
}

export function recordSuperseding(state: GovernorState, run: string): GovernorState {
  return { ...state, open: state.open.map((other) => (other.run === run ? { ...other, status: 'ending' } : other)) };
}

/**
 * A run waits for its decision, or ended. A run that ever waited counts as waiting until it ends: what follows is its release,
 * which a commit must not cut off. One that ended without training spends neither cooldown nor budget.
 */
export function recordStatus(state: GovernorState, run: string, status: RunStatus): GovernorState {
  switch (status) {
    case 'queued': case 'running': return state;
    case 'waiting': return { ...state, open: state.open.map((other) => (other.run === run ? { ...other, status: 'waiting' } : other)) };
    case 'applied': case 'unchanged': case 'refused': return { ...closed(state, run), starts: state.starts.filter((start) => start.run !== run) };
    case 'released': case 'rejected': case 'expired': case 'superseded': case 'failed': case 'cancelled': return closed(state, run);
  }
}

/**
 * The next step.
 * - Of several pending commits the newest wins; under `queue` only where they came within the debounce of each other. One that is
 *   told of after a commit that comes after it is never trained.
 * - Drift, loss, schedule and data ask for the same thing, so that one run answers all of them. They keep to cooldown and budget;
 *   commits and requests do not (a person asked), but a commit waits out the debounce.
 * - One run trains at a time. A commit stops it under `supersede`; everything else waits for its end. A run that waits for its
 *   decision blocks nobody: which of two candidates may go live is settled when they are released.
 */
export function decideNext(state: GovernorState, now: number, policy: GovernorPolicy): GovernorStep {
  const drop = superseded(state, policy) ?? merged(state);
  if (drop) return drop;

  const waiting = state.pending
    .map(({ request, at }) => ({ request, readyAt: readyAt(request, at, state, policy) }))
    .sort((a, b) => Number(isAutomatic(a.request)) - Number(isAutomatic(b.request)));
  const training = state.open.filter(({ status }) => status !== 'waiting');
  if (training.length === 0) {
    const ready = waiting.find((item) => item.readyAt <= now);
    return ready ? { kind: 'start', request: ready.request } : until(waiting, now);
  }
  if (policy.newer === 'queue') return { kind: 'idle' };
  const commits = waiting.filter(({ request }) => request.reason.kind === 'commit');
  const ready = commits.find((item) => item.readyAt <= now);
  if (!ready) return until(commits, now);
  const stopping = training.find(({ status }) => status === 'running');
  return stopping ? { kind: 'supersede', run: stopping.run, by: ready.request } : { kind: 'idle' };
}

function superseded({ pending }: GovernorState, { newer, debounceMs }: GovernorPolicy): GovernorStep | null {
  const late = pending.find(({ behind }) => behind !== undefined);
  if (late?.behind) return { kind: 'drop', request: late.request, outcome: 'superseded', into: late.behind };
  const commits = pending.filter(({ request }) => request.reason.kind === 'commit');
  for (const [index, older] of commits.entries()) {
    const next = commits[index + 1];
    if (next && (newer === 'supersede' || next.at - older.at < debounceMs)) return { kind: 'drop', request: older.request, outcome: 'superseded', into: next.request };
  }
  return null;
}

/** A forced request, or one for a certain commit, is not answered by a run that is not. */
function merged({ pending }: GovernorState): GovernorStep | null {
  const automatic = pending.map(({ request }) => request).filter(isAutomatic);
  for (const [index, later] of automatic.entries()) {
    const earlier = automatic.slice(0, index).find((other) => other.commit === later.commit && other.reason.force === later.reason.force);
    if (earlier) return { kind: 'drop', request: later, outcome: 'merged', into: earlier };
  }
  return null;
}

function readyAt(request: TrainRequest, at: number, { starts }: GovernorState, { cooldownMs, debounceMs, budget }: GovernorPolicy): number {
  if (request.reason.kind === 'commit') return at + debounceMs;
  if (!isAutomatic(request)) return at;
  const last = starts.at(-1);
  const cooled = last ? last.at + cooldownMs : at;
  const leaving = starts.at(-budget.runs); // once this start is out of the period, there is room
  return Math.max(at, cooled, leaving ? leaving.at + budget.perMs : at);
}

function isAutomatic({ reason }: TrainRequest): boolean {
  return !['commit', 'request', 'import'].includes(reason.kind);
}

function until(waiting: readonly { readonly readyAt: number }[], now: number): GovernorStep {
  const first = Math.min(...waiting.map((item) => item.readyAt));
  return Number.isFinite(first) ? { kind: 'wait', ms: Math.max(1, first - now) } : { kind: 'idle' };
}

function settle(state: GovernorState, { id, cause }: TrainRequest): GovernorState {
  return {
    ...state,
    pending: state.pending.filter(({ request }) => request.id !== id),
    handledIds: [...state.handledIds, id].slice(-REMEMBERED),
    handledCauses: [...state.handledCauses, cause].slice(-REMEMBERED),
  };
}

function closed(state: GovernorState, run: string): GovernorState {
  return { ...state, open: state.open.filter((other) => other.run !== run) };
}
