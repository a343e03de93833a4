import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** File that holds the secret of a repository's hook. `repository` was parsed as a name without slashes. */
export function hookSecretFile(secretsDir: string, repository: string): string {
  return join(secretsDir, `hook-${repository}`);
}

/** The hook's secret, made at the first call. Written whole and then linked into place, so that two calls agree on one. */
export async function ensureHookSecret(secretsDir: string, repository: string): Promise<string> {
  const file = hookSecretFile(secretsDir, repository);
  const existing = await readHookSecret(secretsDir, repository);
  if (existing !== null) return existing;
  await mkdir(secretsDir, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  return (await readFile(file, 'utf8')).trim();
}

export async function readHookSecret(secretsDir: string, repository: string): Promise<string | null> {
  try {
    return (await readFile(hookSecretFile(secretsDir, repository), 'utf8')).trim() || null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Whether `signature` (`sha256=<hex>`, as GitHub sends it) is the HMAC of these bytes; compared in constant time. */
export function isSignedBy(secret: string, body: Uint8Array, signature: string): boolean {
  const given = /^sha256=([0-9a-f]{64})$/.exec(signature)?.[1] ?? '';
  const expected = createHmac('sha256', secret).update(body).digest();
  const bytes = Buffer.alloc(expected.length);
  bytes.write(given, 'hex');
  return timingSafeEqual(bytes, expected) && given !== '';
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
