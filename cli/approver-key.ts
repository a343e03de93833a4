import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64 } from '../domain/base64.js';
import { generateKeyPair, type KeyPair } from '../domain/decision.js';
import { CommandError } from './errors.js';

/** Private keys of approvers lie in `<home>/secrets/approvers/<principal>.key`: the 32-byte seed in base64, mode 0600. */
const folderOf = (secretsDir: string) => join(secretsDir, 'approvers');
export const keyFileOf = (secretsDir: string, principal: string) => join(folderOf(secretsDir), `${principal}.key`);

/** The key pair of an approver on this machine; made at the first call. A key that is there is never overwritten. */
export async function ensureKey(secretsDir: string, principal: string): Promise<KeyPair & { readonly created: boolean }> {
  const existing = await readKey(secretsDir, principal);
  if (existing) return { ...existing, created: false };
  await mkdir(folderOf(secretsDir), { recursive: true, mode: 0o700 });
  const seed = randomBytes(32);
  await writeFile(keyFileOf(secretsDir, principal), `${seed.toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  return { ...generateKeyPair(seed), created: true };
}

export async function readKey(secretsDir: string, principal: string): Promise<KeyPair | null> {
  const file = keyFileOf(secretsDir, principal);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const seed = fromBase64(text.trim());
  if (seed?.length !== 32) throw new CommandError('decision/unsigned', `${file} does not hold a key: expected 32 bytes in base64`, 'Restore the file from a backup, or move it away and make a new key with `perennial principal key`.');
  return generateKeyPair(seed);
}

/** Principals whose keys are on this machine. */
export async function listKeys(secretsDir: string): Promise<string[]> {
  try {
    return (await readdir(folderOf(secretsDir))).filter((name) => name.endsWith('.key')).map((name) => name.slice(0, -'.key'.length)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
