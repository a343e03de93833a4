import { setTimeout as sleep } from 'node:timers/promises';
import { PerennialError } from '../../../contract/errors.js';
import type { RunEvent } from '../../../contract/run.js';
import type { Stores } from '../../../stores/index.js';
import { PATIENCE_MS } from './running-home.js';

const POLL_MS = 20;

/** Waits for an event of a run that `wanted` accepts; the run need not have begun. */
export async function eventOf({ runs }: Stores, run: string, what: string, wanted: (event: RunEvent) => boolean, timeoutMs = 2 * PATIENCE_MS): Promise<RunEvent> {
  let seenTo = 0;
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(POLL_MS)) {
    for (const event of await runs.events(run, seenTo).catch(nothingWhereAway)) {
      seenTo = event.id ?? seenTo;
      if (wanted(event)) return event;
      if (event.kind === 'end') throw new Error(`${run} ended before ${what}: ${event.message}`);
    }
  }
  throw new Error(`${run}: waited ${timeoutMs / 1000} s in vain for ${what}`);
}

/** PostgreSQL was killed, and is back in a moment. */
function nothingWhereAway(error: unknown): RunEvent[] {
  if (error instanceof PerennialError && error.retryable) return [];
  throw error;
}

export const atStep = (step: RunEvent['step']) => (event: RunEvent) => event.kind === 'step' && event.step === step;
