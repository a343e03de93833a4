import { lstat, mkdir, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createFile, isErrno, readIfThere, replaceFile } from './files.js';

/** By then the part that a port was chosen for listens on it, or its stack has given up. */
const CLAIM_MS = 180_000;

/**
 * Two stacks that start at the same time would find the same port free, because the part that it is for listens only seconds later.
 * A claim is a file, named by the port, in a folder that all stacks of a user share; it says for which home the port was chosen.
 */
export async function claimPort(port: number, home: string): Promise<boolean> {
  const folder = join(tmpdir(), `perennial-ports-${userInfo().uid}`);
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => { if (!isErrno(error, 'EEXIST')) throw error; });
  const about = await lstat(folder);
  // Somebody else's folder of this name says nothing that could be believed.
  if (!about.isDirectory() || about.uid !== userInfo().uid) return true;
  const file = join(folder, String(port));
  if (await createFile(file, home)) return true;
  const claimed = await readIfThere(file);
  if (claimed !== home && (await ageMs(file)) < CLAIM_MS) return false;
  await replaceFile(file, home);
  return (await readIfThere(file)) === home;
}

async function ageMs(file: string): Promise<number> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return Infinity;
    throw error;
  }
}
