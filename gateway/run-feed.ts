import type { GatewayDeps } from './deps.js';

/** Tells subscribers that a run has new events. A hint only: subscribers poll as well. */
export interface RunFeed {
  subscribe(run: string, wake: () => void): () => void;
  close(): Promise<void>;
}

const RETRY_MS = 5_000;

/** One LISTEN for the whole gateway; where it cannot be had it is asked for again. */
export function createRunFeed(listen: GatewayDeps['listen'], log: GatewayDeps['log']): RunFeed {
  const subscribers = new Map<string, Set<() => void>>();
  let closed = false;
  let stop: (() => Promise<void>) | undefined;
  let retry: NodeJS.Timeout | undefined;

  const start = async (): Promise<void> => {
    try {
      const ended = await listen('run_events', (run) => {
        // Nothing said: the connection was made again, and anything may have been missed.
        const woken = run === '' ? [...subscribers.values()].flatMap((wakes) => [...wakes]) : (subscribers.get(run) ?? []);
        for (const wake of woken) wake();
      });
      if (closed) await ended();
      else stop = ended;
    } catch (error) {
      log('cannot listen for run events, they are polled', { error: String(error) });
      if (!closed) retry = setTimeout(() => void start(), RETRY_MS);
    }
  };
  const started = start();

  return {
    subscribe(run, wake) {
      const wakes = subscribers.get(run) ?? new Set();
      subscribers.set(run, wakes.add(wake));
      return () => {
        wakes.delete(wake);
        if (wakes.size === 0) subscribers.delete(run);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await started;
      await stop?.();
    },
  };
}
