import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seed } from '../../workers/seed.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let t: TestDatabase;
let folder: string;
beforeAll(async () => {
  t = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'seed-'));
});
afterAll(async () => {
  await t.drop();
  await rm(folder, { recursive: true, force: true });
});

describe('what an installation starts with', () => {
  const secrets = () => join(folder, 'secrets');
  const cliToken = async () => (await readFile(join(secrets(), 'cli-token'), 'utf8')).trim();

  it('comes out the same from several at once, and twice: one working token file, nobody an approver', async () => {
    await Promise.all([1, 2, 3].map(() => seed(t.another().db, secrets())));
    const token = await cliToken();
    await seed(t.db, secrets());
    expect(await cliToken()).toBe(token);
    const who = await t.stores.principals.authenticate(token);
    expect(who).toMatchObject({ principal: { id: 'admin' }, scopes: ['api', 'predict', 'label'] });
    expect(who?.roles.map(({ role }) => role).sort()).toEqual(['admin', 'auditor', 'operator', 'scientist', 'viewer']);
    const server = (await readFile(join(secrets(), 'server-token'), 'utf8')).trim();
    expect(await t.stores.principals.authenticate(server)).toMatchObject({ principal: { id: 'server-client', kind: 'machine' }, roles: [], scopes: ['predict', 'label'] });
    expect((await stat(join(secrets(), 'cli-token'))).mode & 0o777).toBe(0o600);
    expect((await t.stores.environments.list()).map(({ name }) => name)).toEqual(['production', 'test']);
    expect(await t.stores.principals.withRole('approver', 'production')).toEqual([]);
  });

  it('a file that a killed set-up left without its hash is made good; a lost or spoilt one is made anew; a revoked token stays revoked', async () => {
    const first = await cliToken();
    await t.db.query('delete from tokens');
    await seed(t.db, secrets());
    expect(await cliToken()).toBe(first);
    expect(await t.stores.principals.authenticate(first)).not.toBeNull();

    await writeFile(join(secrets(), 'cli-token'), 'half a tok');
    await seed(t.db, secrets());
    const second = await cliToken();
    expect(await t.stores.principals.authenticate(second)).not.toBeNull();

    const found = await t.stores.principals.authenticate(second);
    await t.stores.principals.revokeToken(found?.tokenId ?? '');
    await seed(t.db, secrets());
    expect(await t.stores.principals.authenticate(second)).toBeNull();
    expect(await t.stores.principals.authenticate(await cliToken())).not.toBeNull();
  });

  it('a role that was taken away and a policy that was changed stay so', async () => {
    await t.stores.principals.revoke('admin', 'scientist', null);
    await t.stores.environments.setPolicy('production', { v: 1, automaticApproval: true }, 'admin');
    await seed(t.db, secrets());
    expect((await t.stores.principals.roles('admin')).map(({ role }) => role)).not.toContain('scientist');
    expect((await t.stores.environments.get('production'))?.policy.automaticApproval).toBe(true);
  });
});
