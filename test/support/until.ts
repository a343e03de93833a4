import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats assertions until they hold; after `timeoutMs` the last failure is the test's. */
export async function until(assertions: () => Promise<unknown> | void, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      await assertions();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await sleep(50);
  }
}
