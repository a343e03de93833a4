import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, identify, isAlive } from '../supervisor/identity.js';
import { readIfThere } from './files.js';

const graceMs = 10_000;

/**
 * Clears the way for a new server on this data folder: ends a server that still runs on it (its supervisor was killed and the
 * note of its pid lost), and removes a `postmaster.pid` whose pid belongs by now to an unrelated process, which PostgreSQL
 * itself would take for a running server.
 */
export async function endPreviousServer(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid');
  const [line, folder] = (await readIfThere(pidFile))?.split('\n') ?? [];
  const pid = Number(line);
  if (!Number.isInteger(pid) || pid <= 0) return;
  const identity = identify(pid);
  const isServer = identity !== undefined && folder === dataDir && commandLine(pid).includes(`-D ${dataDir} `);
  if (!isServer) {
    await rm(pidFile, { force: true });
    return;
  }
  process.kill(pid, 'SIGINT');
  for (let waited = 0; isAlive(identity); waited += 50) {
    if (waited === graceMs) process.kill(pid, 'SIGQUIT'); // "immediate": the next start recovers
    if (waited > 2 * graceMs) throw new Error(`The PostgreSQL server with pid ${pid} on ${dataDir} does not end: end it by hand`);
    await sleep(50);
  }
}
