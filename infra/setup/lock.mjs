import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './errors.mjs';

const BEAT_MS = 5_000;
const SILENT_MS = 60_000;
const RETRY_MS = 200;

/** The kernel's start time of a process, which tells it from a later one with the same pid; '' where it cannot be known. */
function startOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return '';
    throw error;
  }
}

/** Is there a process with this pid? */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** A lock is stale when its owner on this machine is gone, or when no owner has touched the file for a minute. */
async function isStale(path, text) {
  const { mtimeMs } = await stat(path);
  if (Date.now() - mtimeMs > SILENT_MS) return true;
  const [pid, start, host] = text.split('\n');
  if (!pid || host !== hostname()) return false;
  return !isAlive(Number(pid)) || (start !== '' && startOf(pid) !== start);
}

/** Moves a stale lock away; renaming lets only one of several waiters win. */
async function breakLock(path) {
  const aside = `${path}.stale-${process.pid}-${Date.now()}`;
  await rename(path, aside);
  await rm(aside, { force: true });
}

async function tryAcquire(path, text) {
  try {
    const file = await open(path, 'wx', 0o644);
    await file.writeFile(text);
    await file.close();
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    return false;
  }
}

/**
 * Runs `work` while holding the lock file `path` (created with O_EXCL). It saves work, it does not guard correctness:
 * parts are installed beside their place and renamed into it, so even two owners could not damage each other.
 * @param {string} path
 * @param {(pid: string) => void} onWait called once when somebody else holds it
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @template T
 */
export async function withLock(path, onWait, work) {
  const mine = `${process.pid}\n${startOf(process.pid)}\n${hostname()}`;
  for (let told = false; !(await tryAcquire(path, mine)); ) {
    try {
      const text = await readFile(path, 'utf8');
      if (await isStale(path, text)) {
        await breakLock(path);
        continue;
      }
      if (!told) onWait(text.split('\n')[0] ?? '');
      told = true;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      continue;
    }
    await sleep(RETRY_MS);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => clearInterval(beat));
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    const held = await readFile(path, 'utf8').catch(() => '');
    if (held === mine) await rm(path, { force: true });
  }
}
