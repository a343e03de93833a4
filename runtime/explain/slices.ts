import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Work that is done a little at a time: it is told how many rows the network may compute next, and yields how many it had computed.
 */
export type Slices<T> = Generator<number, T, number>;

/** A slice is made as large as takes about this long; a prediction that arrives meanwhile waits for its end. */
const SLICE_MS = 5;
const MOST_AT_ONCE = 64;

export interface Between {
  readonly signal: AbortSignal;
  /** Bytes that have arrived so far. */
  readonly received: () => number;
  /** Predictions that were computed so far. */
  readonly predicted: () => number;
}

export interface Done<T> { readonly value: T; readonly evaluations: number; /** Of the slices alone. */ readonly computeMs: number }

/**
 * Does the work in slices. Between two of them everything that has arrived is worked off, and where predictions were among it they get as much
 * time again as the slice took. Rejects with the signal's reason once that is aborted.
 */
export async function inSlices<T>(work: Slices<T>, { signal, received, predicted }: Between): Promise<Done<T>> {
  let [points, evaluations, computeMs] = [1, 0, 0];
  for (;;) {
    signal.throwIfAborted();
    const before = predicted();
    const startedAt = performance.now();
    const step = work.next(points);
    const ms = performance.now() - startedAt;
    computeMs += ms;
    if (step.done) return { value: step.value, evaluations, computeMs };
    evaluations += step.value;
    points = Math.max(1, Math.min(MOST_AT_ONCE, 2 * points, Math.floor((points * SLICE_MS) / Math.max(ms, 0.1))));
    await untilQuiet(received);
    if (predicted() > before) await sleep(ms);
  }
}

/** A large frame arrives in pieces, each in a turn of the event loop. */
async function untilQuiet(received: () => number): Promise<void> {
  for (let seen = -1; seen !== received();) {
    seen = received();
    await new Promise<void>((turn) => setImmediate(turn));
  }
}

/** The same work with no more at once than there is room for. */
export function* atMost<T>(most: number, work: Slices<T>): Slices<T> {
  let step = work.next(1);
  while (!step.done) step = work.next(Math.min(most, yield step.value));
  return step.value;
}
