import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../child/program-path.js';

/** The digest of the lockfile that this installation's packages came from; null where there is none (a package that was installed into another project). */
export async function lockfileDigest(): Promise<string | null> {
  try {
    return createHash('sha256').update(await readFile(join(packageRoot(), 'package-lock.json'))).digest('hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
