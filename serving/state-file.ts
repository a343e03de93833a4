import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

export interface StateFile<T> {
  readonly value: T;
  /** Writes `value` as it is now; complete or not at all. */
  save(): Promise<void>;
}

/**
 * A small JSON file that helps a restart while PostgreSQL is away. One that is missing, damaged or refused by `accept` counts as
 * `empty`: PostgreSQL is the record.
 */
export async function openStateFile<T>(path: string, schema: z.ZodType<T>, empty: T, accept: (value: T) => boolean = () => true): Promise<StateFile<T>> {
  const value = await read(path, schema, empty, accept);
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }

  return {
    value,
    save() {
      const result = writing.then(write);
      writing = result.catch(() => undefined);
      return result;
    },
  };
}

async function read<T>(path: string, schema: z.ZodType<T>, empty: T, accept: (value: T) => boolean): Promise<T> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success && accept(parsed.data) ? parsed.data : empty;
  } catch {
    return empty; // not there yet, or cut short by a crash
  }
}
