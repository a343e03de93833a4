import { setTimeout as sleep } from 'node:timers/promises';
import { ensureHome } from '../stack/home.js';
import { isAlive } from './identity.js';
import { acquireLock, lockHolder } from './lock.js';
import { endOrphan, findOrphans } from './orphans.js';
import { loadPids, savePids } from './pids.js';
import { readStatus } from './read-status.js';
import { signalIdentity } from './spawn.js';
import type { SupervisorStatus } from './status.js';

const pollMs = 50;
/** More than all grace times in a row. */
const supervisorGraceMs = 120_000;

export interface DownOptions {
  home: string;
  onProgress?: (status: SupervisorStatus) => void;
}

export interface DownResult {
  state: 'stopped' | 'was-not-running';
  /** processes that had outlived their supervisor and were ended */
  orphans: number;
}

/** Ends everything that runs on this home, in order: SIGTERM, a grace time for each program, then SIGKILL. Safe to repeat. */
export async function down({ home, onProgress = () => undefined }: DownOptions): Promise<DownResult> {
  const layout = await ensureHome(home);
  const holder = await lockHolder(layout.lockFile);
  if (holder !== undefined) {
    signalIdentity(holder, 'SIGTERM');
    const until = Date.now() + supervisorGraceMs;
    let shown = '';
    while (isAlive(holder)) {
      if (Date.now() > until) signalIdentity(holder, 'SIGKILL'); // its programs are orphans then, and ended below
      const { status } = await readStatus(layout.dir);
      const text = JSON.stringify(status);
      if (status !== undefined && text !== shown) onProgress(status);
      shown = text;
      await sleep(pollMs);
    }
  }
  const lock = await acquireLock(layout.lockFile);
  try {
    const orphans = findOrphans(layout.dir, await loadPids(layout.pidsFile));
    await Promise.all(orphans.map(endOrphan));
    await savePids(layout.pidsFile, {});
    return { state: holder === undefined && orphans.length === 0 ? 'was-not-running' : 'stopped', orphans: orphans.length };
  } finally {
    await lock.release();
  }
}
