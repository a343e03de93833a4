import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than any attempt may take: what is older was left by a process that died. */
const ABANDONED_MS = 12 * 3_600_000;

/** Runs `work` with a folder of this attempt's own, which is gone afterwards; those that killed processes left are swept on the way. */
export async function withWorkspace<T>(scratch: string, name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const root = join(scratch, name);
  await mkdir(root, { recursive: true });
  await sweep(root, ABANDONED_MS);
  const folder = await mkdtemp(join(root, 'attempt-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what lies directly in `folder` and was not changed for `idleMs`. Another process may be sweeping too. */
export async function sweep(folder: string, idleMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found && found.mtimeMs < Date.now() - idleMs) await rm(path, { recursive: true, force: true });
  }
}
