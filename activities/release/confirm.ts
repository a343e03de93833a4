import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivityDeps } from '../deps.js';
import type { LiveReplica } from '../../stores/replicas.js';
import { askReplica } from './ask-replica.js';

export interface ConfirmRequest {
  readonly environment: string; readonly model: string; readonly generation: number;
  /** null: nothing is to be served. */
  readonly version: number | null;
  readonly timeoutMs: number;
}
export interface Confirmation {
  /** Replicas that serve it: their lease says so and so do they. */
  readonly confirmed: string[];
  /** Replicas that may serve something else: they did not take it up in time, or their lease has lapsed. */
  readonly unconfirmed: string[];
  /** Replicas that cannot serve it, and why. */
  readonly failed: { replica: string; message: string }[];
}

const POLL_MS = 25;
/** A replica that fell silent this long ago without a goodbye is named: it may go on with its last good route. */
const SILENT_MS = 3_600_000;

/** Waits until every leased replica serves the generation, read back; ends early where one says that it cannot. Only reads. */
export async function confirm(deps: Pick<ActivityDeps, 'stores' | 'serverToken'>, request: ConfirmRequest, signal: AbortSignal): Promise<Confirmation> {
  const { stores } = deps;
  const { environment, model, generation, timeoutMs } = request;
  const until = Date.now() + timeoutMs;
  const answered = new Set<string>();
  for (;;) {
    signal.throwIfAborted();
    const [replicas, failures] = await Promise.all([stores.replicas.live(environment), stores.replicaFailures.list(environment, model, generation)]);
    const states = await Promise.all(replicas.map(async (replica) => ({ id: replica.id, state: await stateOf(replica, request, answered, deps.serverToken) })));
    const confirmed = states.filter(({ state }) => state === 'serves').map(({ id }) => id);
    const failed = [
      ...failures.filter((failure) => !confirmed.includes(failure.replica)).map(({ replica, message }) => ({ replica, message })),
      ...states.filter(({ state }) => state === 'overtaken').map(({ id }) => ({ replica: id, message: `serves a generation after ${generation}: somebody wrote the route meanwhile` })),
    ];
    const done = replicas.length > 0 && confirmed.length === replicas.length;
    if (done || failed.length > 0 || Date.now() >= until) {
      const silent = await stores.replicas.lapsed(environment, SILENT_MS);
      const unconfirmed = [...states.filter(({ id, state }) => state === 'other' && !failed.some((failure) => failure.replica === id)).map(({ id }) => id), ...silent.map(({ id }) => id)];
      return { confirmed, unconfirmed: replicas.length + silent.length === 0 ? [`${environment}: no server has a lease`] : unconfirmed, failed };
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** A replica whose lease says the right thing is asked once over HTTP as well. */
async function stateOf(replica: LiveReplica, { model, generation, version }: ConfirmRequest, answered: Set<string>, token: () => Promise<string>): Promise<'serves' | 'overtaken' | 'other'> {
  const said = replica.serving.find((one) => one.model === model);
  if (said && said.generation > generation) return 'overtaken';
  if (!said || said.generation !== generation || said.version !== version) return 'other';
  if (answered.has(replica.id)) return 'serves';
  const own = await askReplica(replica.url, model, await token());
  const agrees = version === null ? own === null : own?.version === version && own.generation === generation;
  if (agrees) answered.add(replica.id);
  return agrees ? 'serves' : 'other';
}
