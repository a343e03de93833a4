import type { RunnerAddress } from '../../runtime/runner/attach.js';
import type { Runner } from '../../runtime/runner/start.js';

interface Shared { readonly starting: Promise<Runner>; pid: number | null; readonly holders: Set<number> }

/** The runners of a replica: one for each loaded package, for all of its HTTP processes. It ends when none of them needs it any more. */
export function createSharedRunners(start: (packageDirectory: string) => Promise<Runner>) {
  const current = new Map<string, Shared>();
  const byPid = new Map<number, { readonly runner: Runner; readonly shared: Shared; readonly packageDirectory: string }>();

  function begin(packageDirectory: string): Shared {
    const shared: Shared = { starting: start(packageDirectory), pid: null, holders: new Set() };
    current.set(packageDirectory, shared);
    const forget = (): void => { if (current.get(packageDirectory) === shared) current.delete(packageDirectory); };
    shared.starting.then((runner) => {
      shared.pid = runner.pid;
      byPid.set(runner.pid, { runner, shared, packageDirectory });
      runner.once('exit', () => {
        byPid.delete(runner.pid);
        forget();
      });
      closeUnneeded(runner.pid); // whoever asked may have ended meanwhile
    }, forget);
    return shared;
  }

  function closeUnneeded(pid: number): void {
    const found = byPid.get(pid);
    if (!found || found.shared.holders.size > 0) return;
    if (current.get(found.packageDirectory) === found.shared) current.delete(found.packageDirectory);
    void found.runner.close();
  }

  return {
    /** For a process (`holder`): one that runs or is being started already, unless that is the one it wants to be rid of (`insteadOf`). */
    async acquire(holder: number, packageDirectory: string, insteadOf: number | null): Promise<RunnerAddress> {
      const there = current.get(packageDirectory);
      const shared = there && (there.pid === null || there.pid !== insteadOf) ? there : begin(packageDirectory);
      shared.holders.add(holder);
      const { pid, path, digest, model, signature, uncompiled } = await shared.starting;
      return { pid, path: path ?? '', digest, model, signature, ...(uncompiled === null ? {} : { uncompiled }) };
    },
    release(holder: number, pid: number): void {
      byPid.get(pid)?.shared.holders.delete(holder);
      closeUnneeded(pid);
    },
    /** A process ended, or will ask no more. */
    releaseAll(holder: number): void {
      for (const { holders } of current.values()) holders.delete(holder);
      for (const pid of [...byPid.keys()]) this.release(holder, pid);
    },
    kill(pid: number): void { byPid.get(pid)?.runner.kill(); },
    async close(): Promise<void> { await Promise.all([...byPid.values()].map(({ runner }) => runner.close())); },
  };
}
export type SharedRunners = ReturnType<typeof createSharedRunners>;
