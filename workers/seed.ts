import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Role, Scope } from '../contract/policy.js';
import { createFile, ensurePrivateFolder, readIfThere, replaceFile } from '../infra/stack/files.js';
import type { Database } from '../stores/database.js';
import { FIRST_ENVIRONMENTS } from '../stores/environments.js';
import { createStores, type Stores } from '../stores/index.js';

interface FirstPrincipal { readonly id: string; readonly kind: 'person' | 'machine'; readonly displayName: string; readonly roles: readonly Role[]; readonly token?: { readonly file: string; readonly scopes: readonly Scope[] } }

/** Nobody starts as an approver: an admin appoints people by name. */
const FIRST_PRINCIPALS: readonly FirstPrincipal[] = [
  { id: 'admin', kind: 'person', displayName: 'Administrator', roles: ['admin', 'operator', 'scientist', 'viewer', 'auditor'], token: { file: 'cli-token', scopes: ['api', 'predict', 'label'] } },
  { id: 'hook', kind: 'machine', displayName: 'Git hooks', roles: ['scientist'] },
  { id: 'server-client', kind: 'machine', displayName: 'Perennial\'s own calls to prediction servers', roles: [], token: { file: 'server-token', scopes: ['predict', 'label'] } },
];

/**
 * What an installation starts with: the environments, the first principals, and their tokens in files (mode 0600). Safe to repeat, and
 * to be killed at any line. What was changed since stays changed, but a token file that is missing or does not work any more is made anew.
 */
export async function seed(db: Database, secretsDir: string): Promise<void> {
  const stores = createStores(db);
  for (const name of FIRST_ENVIRONMENTS) await stores.environments.ensure(name);
  await ensurePrivateFolder(secretsDir);
  for (const principal of FIRST_PRINCIPALS) {
    await addOnce(db, principal);
    if (principal.token) await ensureTokenFile(stores, principal.id, join(secretsDir, principal.token.file), principal.token);
  }
}

/** Roles come with the principal in one step and never again, so that a role that was taken away stays away. */
async function addOnce(db: Database, { id, kind, displayName, roles }: FirstPrincipal): Promise<void> {
  await db.transaction(async (tx) => {
    const { principals } = createStores(tx);
    if (await principals.get(id)) return;
    await principals.create({ id, kind, displayName, email: null, publicKey: null });
    for (const role of roles) await principals.grant(id, role, null);
  });
}

/** The file comes first and its hash second: whoever finds a file whose hash is not stored yet stores it. */
async function ensureTokenFile({ principals }: Stores, principal: string, path: string, { file, scopes }: { file: string; scopes: readonly Scope[] }): Promise<void> {
  const fresh = () => `pnl_${randomBytes(32).toString('base64url')}`;
  const works = async (token: string) => {
    if (!/^pnl_[\w-]{43}$/.test(token)) return false;
    await principals.ensureToken({ token, principal, scopes, name: file });
    return (await principals.authenticate(token))?.principal.id === principal;
  };
  if (await readIfThere(path) === undefined) await createFile(path, `${fresh()}\n`);
  if (await works((await readIfThere(path) ?? '').trim())) return;
  if ((await principals.get(principal))?.disabledAt) return;
  const token = fresh();
  await replaceFile(path, `${token}\n`);
  await works(token);
}
