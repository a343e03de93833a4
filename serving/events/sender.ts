import { setTimeout as sleep } from 'node:timers/promises';
import type { DueEvent, GivenUp, PredictionEventsStore } from '../../stores/prediction-events.js';
import type { Metrics } from '../metrics.js';
import type { OnProblem } from '../problem.js';
import { cloudEventOf } from './cloud-event.js';
import { postEvents, type EventSink } from './post.js';

export interface EventSenderOptions {
  readonly store: Pick<PredictionEventsStore, 'claim' | 'sent' | 'release' | 'giveUp' | 'expire' | 'waiting'>;
  readonly environment: string;
  readonly sink: EventSink;
  /** Events that could not be sent for this long are given up, and counted. */
  readonly keepMs: number;
  readonly pollMs?: number;
  /** The first wait after a failure; doubled up to a minute. */
  readonly firstWaitMs?: number;
  readonly metrics: Pick<Metrics, 'events' | 'eventsFailed'>;
  readonly onProblem: OnProblem;
}

export interface EventSender {
  /** Of the whole environment, as looked at every 10 s: how many events wait, and for how long the oldest has. */
  lag(): { events: number; seconds: number };
  close(): Promise<void>;
}

/** Events at once; with what one may hold, 26 MB at most are in memory. */
const EVENTS = 100;
const BODY_BYTES = 1024 ** 2;
/** A sender that died leaves its events to the others after this; longer than what it may have in its hands takes. */
const LEASE_MS = 120_000;
const LONGEST_WAIT_MS = 60_000;
const LOOK_EVERY_MS = 10_000;

/**
 * Sends an environment's predictions and refusals as CloudEvents: those that are in PostgreSQL, in the order in which they came there, each at least once. A receiver that is away holds up
 * nothing but its own events, which wait in PostgreSQL.
 */
export function createEventSender({ store, environment, sink, keepMs, pollMs = 500, firstWaitMs = 500, metrics, onProblem }: EventSenderOptions): EventSender {
  const stopping = new AbortController();
  const { signal } = stopping;
  let waiting: { events: number; since: string | null } = { events: 0, since: null };
  let lookedAt = -Infinity;
  let waitMs = 0;
  let reported = false;

  function problem(message: string, error: unknown): void {
    if (!reported) onProblem(message, error);
    reported = true;
  }

  async function gaveUp(reason: GivenUp, events: number, detail: string): Promise<void> {
    if (events === 0) return;
    metrics.events(`given-up-${reason}`, events);
    onProblem(`${events} events were given up: ${detail}`, undefined);
  }

  async function look(): Promise<void> {
    if (Date.now() - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = Date.now();
    await gaveUp('expired', await store.expire(environment, keepMs), `the receiver did not take them within ${Math.round(keepMs / 3_600_000)} hours`);
    waiting = await store.waiting(environment);
  }

  /** Sends what was claimed; gives for how long to wait, 0 where all went well. What is not sent is released. */
  async function send(events: readonly DueEvent[]): Promise<number> {
    const batches = batchesOf(events);
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      const posted = await postEvents(sink, `[${batch.map(({ text }) => text).join(',')}]`, signal);
      const seqs = batch.map(({ seq }) => seq);
      switch (posted.outcome) {
        case 'accepted':
          await store.sent(seqs);
          metrics.events('sent', seqs.length);
          if (reported) onProblem('events are sent again', undefined);
          reported = false;
          break;
        case 'refused': {
          metrics.eventsFailed('refused');
          // Halves, until those that the receiver does not take stand alone.
          const half = Math.ceil(batch.length / 2);
          if (batch.length > 1) batches.unshift(batch.slice(0, half), batch.slice(half));
          else await gaveUp('refused', await store.giveUp(environment, seqs, 'refused'), posted.detail);
          break;
        }
        case 'later':
          if (!signal.aborted) {
            metrics.eventsFailed(posted.reason);
            problem(`events cannot be sent and wait in PostgreSQL: ${posted.detail}`, new Error(posted.detail));
          }
          await store.release([...seqs, ...batches.flat().map(({ seq }) => seq)]);
          waitMs = Math.min(LONGEST_WAIT_MS, Math.max(firstWaitMs, waitMs * 2));
          return Math.max(posted.afterMs ?? 0, waitMs * (0.5 + Math.random() / 2));
      }
    }
    waitMs = 0;
    return 0;
  }

  async function once(): Promise<number> {
    try {
      await look();
      const { events, removed } = await store.claim(environment, { limit: EVENTS, leaseMs: LEASE_MS });
      await gaveUp('removed', removed, 'what they tell of is no longer in PostgreSQL');
      return events.length === 0 ? pollMs : await send(events);
    } catch (error) {
      problem('events wait: PostgreSQL is away', error);
      return Math.max(pollMs, 1_000);
    }
  }

  const running = (async () => {
    while (!signal.aborted) {
      const wait = await once();
      if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined); // told to stop
    }
  })();

  return {
    lag: () => ({ events: waiting.events, seconds: waiting.since === null ? 0 : (Date.now() - Date.parse(waiting.since)) / 1_000 }),
    async close() {
      stopping.abort();
      await running;
    },
  };
}

interface Written { readonly seq: number; readonly text: string }

/** Events as JSON, in bodies of 1 MiB; one that is larger by itself goes alone. */
function batchesOf(events: readonly DueEvent[]): Written[][] {
  const batches: Written[][] = [];
  let bytes = Infinity;
  for (const due of events) {
    const text = JSON.stringify(cloudEventOf(due));
    const length = Buffer.byteLength(text) + 1;
    if (bytes + length > BODY_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push({ seq: due.seq, text });
    bytes += length;
  }
  return batches;
}
