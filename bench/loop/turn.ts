import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../../cli/demo/world.js';
import { Events, RunView, Runs, type Event } from '../../cli/views.js';
import type { People } from './people.js';
import type { Production } from './production.js';
import { MODEL } from './repository.js';

/** One turn of the loop. Moments in milliseconds since 1970, those of events as the workers wrote them. */
export interface Turn {
  readonly run: string;
  readonly version: number;
  readonly hookAccepted: number;
  /** The first batch of the run (its quick pass), and the first of the training proper. */
  readonly firstBatch: number;
  readonly firstFullBatch: number;
  readonly decided: number;
  readonly live: number;
  readonly events: readonly Event[];
}

export interface TurnOptions { readonly world: World; readonly people: People; readonly production: Production; readonly commit: string; readonly signal: AbortSignal }

const LOOK_MS = 150;

/** Pushes a commit, waits for its evidence, approves, and waits until production answers with the new version. */
export async function takeTurn({ world, people, production, commit, signal }: TurnOptions): Promise<Turn> {
  const { api } = world.context;
  const look = async <T>(get: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      signal.throwIfAborted();
      const seen = await get();
      if (seen !== undefined) return seen;
      await sleep(LOOK_MS, undefined, { signal });
    }
  };
  const view = async (run: string) => {
    const seen = await api.get(RunView, `/runs/${run}`);
    const { status } = seen.run;
    if (!['queued', 'running', 'waiting', 'released'].includes(status)) throw new Error(`${run} is ${status}: ${seen.explanation.happened}`);
    return seen;
  };

  const hookAccepted = await people.push(commit);
  const run = await look(async () => (await api.get(Runs, '/runs', { model: MODEL })).runs.find((one) => one.commit === commit)?.id);
  const version = await look(async () => {
    const { run: { status, version: made } } = await view(run);
    return status === 'waiting' && made !== null ? made : undefined;
  });

  const decision = await people.signApproval(run);
  const answered = production.answeredBy(version, signal);
  const decided = await people.decide(decision);
  const live = await answered;
  await look(async () => ((await view(run)).run.status === 'released' ? true : undefined));

  const { events } = await api.get(Events, `/runs/${run}/events`);
  const batches = events.filter(({ kind }) => kind === 'progress');
  return { run, version, hookAccepted, decided, live, events, firstBatch: instantOf(batches[0]), firstFullBatch: instantOf(batches.find(({ step }) => step === 'train')) };
}

function instantOf(event: Event | undefined): number {
  if (!event) throw new Error('the run told of no batch');
  return Date.parse(event.at);
}
