import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile, ensurePrivateFolder, readIfThere } from './files.js';

/**
 * The secret of this name, generated at the first call and kept for ever after (mode 0600).
 * @param bytes entropy of a new secret; it is written as hexadecimal digits, which need no escaping anywhere
 */
export async function ensureSecret(secretsDir: string, name: string, bytes = 24): Promise<string> {
  const path = join(secretsDir, name);
  const existing = await readIfThere(path);
  if (existing !== undefined) return existing.trim();
  await ensurePrivateFolder(secretsDir);
  await createFile(path, `${randomBytes(bytes).toString('hex')}\n`);
  return (await readFile(path, 'utf8')).trim(); // another process may have been first
}

export async function hasSecret(secretsDir: string, name: string): Promise<boolean> {
  return (await readIfThere(join(secretsDir, name))) !== undefined;
}
