import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { until } from './until.js';

const PATIENCE_MS = 110_000;

/**
 * What the processes of a test run make once and share, read only, `folder` among it: whose call makes the folder makes the rest, and the others wait.
 * They get a copy of the value. A failure is everybody's.
 */
export async function madeOnce<T>(folder: string, make: (folder: string) => Promise<T>): Promise<T> {
  const [made, failed] = [join(folder, 'made.v8'), join(folder, 'failed.txt')];
  const write = (path: string, bytes: string | Uint8Array) => { writeFileSync(`${path}.part`, bytes); renameSync(`${path}.part`, path); };
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await until(() => { if (!existsSync(made) && !existsSync(failed)) throw new Error(`another process has not made ${folder} in ${PATIENCE_MS / 1000} s`); }, PATIENCE_MS);
    if (existsSync(failed)) throw new Error(`another process could not make ${folder}: ${readFileSync(failed, 'utf8')}`);
    return deserialize(readFileSync(made)) as T;
  }
  try {
    const value = await make(folder);
    write(made, serialize(value));
    return value;
  } catch (error) {
    write(failed, error instanceof Error ? error.stack ?? error.message : String(error));
    throw error;
  }
}
