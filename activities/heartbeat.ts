import { Context } from '@temporalio/activity';

const EVERY_MS = 1_000;

/**
 * Runs `work` with a heartbeat every second (`report()` gives its details) and a signal that aborts when the activity is
 * cancelled: heartbeats do not throw, so the work has to listen.
 */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>, report: () => unknown = () => undefined): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => { context.heartbeat(report()); }, EVERY_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

type Activity = (input: never) => Promise<unknown>;

/** The same activities, each with a heartbeat: short as they are, a worker that dies in one is noticed by its silence and not only when its time is up. */
export function withHeartbeats<A extends Readonly<Record<string, Activity>>>(activities: A): A {
  return Object.fromEntries(Object.entries(activities).map(([name, activity]) => [name, (input: never) => heartbeating(() => activity(input))])) as unknown as A;
}
