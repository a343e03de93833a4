import { startRunner } from '../../runtime/runner/start.js';
import type { Runner } from '../../runtime/runner/start.js';

/** A runner nobody used for this long is ended. */
const IDLE_MS = 10_000;

interface Held { readonly runner: Promise<Runner>; users: number; idle: NodeJS.Timeout | null }

/**
 * Runners that partitions of one job share: loading TensorFlow takes longer than scoring a partition. A runner that ends is
 * started again for the next partition; all end with this process.
 */
export function createRunners(tfjsNode: string) {
  const held = new Map<string, Held>();

  function drop(directory: string, entry: Held): void {
    if (held.get(directory) === entry) held.delete(directory);
    // A runner that did not start, or has ended, has nothing to close.
    entry.runner.then((runner) => runner.close()).catch(() => undefined);
  }

  return {
    async using<T>(packageDirectory: string, work: (runner: Runner) => Promise<T>): Promise<T> {
      const entry = held.get(packageDirectory) ?? { runner: startRunner({ packageDirectory, tfjsNode }), users: 0, idle: null };
      held.set(packageDirectory, entry);
      if (entry.idle) clearTimeout(entry.idle);
      entry.users += 1;
      try {
        return await work(await entry.runner);
      } catch (error) {
        // Whatever went wrong, the next partition gets a fresh process.
        if (held.get(packageDirectory) === entry) held.delete(packageDirectory);
        throw error;
      } finally {
        entry.users -= 1;
        if (entry.users === 0 && held.get(packageDirectory) !== entry) drop(packageDirectory, entry);
        else if (entry.users === 0) entry.idle = setTimeout(() => { drop(packageDirectory, entry); }, IDLE_MS);
      }
    },
  };
}
export type Runners = ReturnType<typeof createRunners>;
