import { rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFile, isErrno, readIfThere } from '../stack/files.js';
import { commandLine, identify, isAlive, ProcessIdentity } from './identity.js';

/** A supervisor runs on this home already. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
  constructor(readonly holder: ProcessIdentity, lockFile: string) {
    super(`Perennial is running already: process ${holder.pid} (${commandLine(holder.pid)}) holds ${lockFile}`);
  }
}

export interface SupervisorLock {
  release(): Promise<void>;
}

/** Who holds the lock and runs, or undefined where nobody does. */
export async function lockHolder(lockFile: string): Promise<ProcessIdentity | undefined> {
  const holder = parseHolder(await readIfThere(lockFile));
  return holder !== undefined && isAlive(holder) ? holder : undefined;
}

function parseHolder(text: string | undefined): ProcessIdentity | undefined {
  if (text === undefined) return undefined;
  try {
    return ProcessIdentity.parse(JSON.parse(text));
  } catch {
    return undefined; // not written by us: nobody can be shown to hold it
  }
}

/**
 * Takes the lock of a home for this process; a lock whose holder has ended is taken over.
 * @throws AlreadyRunning where its holder runs
 */
export async function acquireLock(lockFile: string): Promise<SupervisorLock> {
  const own = identify(process.pid);
  if (own === undefined) throw new Error('This system has no /proc: the supervisor needs Linux to tell processes apart');
  const text = JSON.stringify(own);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (await createFile(lockFile, text)) {
      await sleep(20); // a rival that was about to remove the lock before ours, and removed ours, shows now
      if ((await readIfThere(lockFile)) === text) return { release: () => release(lockFile, text) };
      continue;
    }
    const found = await readIfThere(lockFile);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && isAlive(holder)) throw new AlreadyRunning(holder, lockFile);
    await setAside(lockFile, found);
  }
  throw new Error(`${lockFile} could not be taken in 20 tries: remove it if no supervisor runs`);
}

/** Removes the lock of an ended holder, by a rename so that of several rivals one succeeds; gives back a lock that was renewed meanwhile. */
async function setAside(lockFile: string, stale: string): Promise<void> {
  const aside = `${lockFile}.${process.pid}`;
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await readIfThere(aside);
  if (moved !== undefined && moved !== stale) await createFile(lockFile, moved);
  await rm(aside, { force: true });
}

async function release(lockFile: string, text: string): Promise<void> {
  if ((await readIfThere(lockFile)) === text) await rm(lockFile, { force: true });
}
