import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel } from '../stores/samples.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
const SECRET = /^pnk_[\w-]{43}$/m;

beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['admin']));
  await addModel(gateway.stores, 'churn');
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

const secretOf = (out: string): string => SECRET.exec(out)?.[0] ?? '';
const listed = async () => (JSON.parse((await cli.run(['key', 'list', '--json'])).out) as { keys: Record<string, unknown>[] }).keys;

test('a key is made, shown once, listed, rotated with an overlap that is told, and revoked; the ledger knows of all of it and of no secret', async () => {
  const made = await cli.run(['key', 'create', 'shop', '--model', 'churn', '--predict', '--label', '--rate', '600/min', '--daily', '100000', '--expires', '90d']);
  expect(made).toMatchObject({ code: 0, out: expect.stringContaining('not shown again') as unknown });
  expect(made.out).toMatch(SECRET);
  expect(await listed()).toMatchObject([{ name: 'shop', environment: 'production', models: ['churn'], scopes: ['predict', 'label'], ratePerSecond: 10, daily: 100_000, usedToday: 0, revokedAt: null, secrets: [{ validUntil: null }] }]);

  const rotated = await cli.run(['key', 'rotate', 'shop', '--overlap', '2h', '--json']);
  const { secret, formerUntil } = JSON.parse(rotated.out) as { secret: string; formerUntil: string };
  expect(secret).not.toBe(secretOf(made.out));
  expect(Math.abs(Date.parse(formerUntil) - Date.now() - 2 * 3_600_000)).toBeLessThan(60_000);
  expect((await cli.run(['key', 'list'])).out).toMatch(/shop +production +churn +predict, label +10\/s +0 +100000 +good, until .*, its former secret until /);
  await cli.run(['key', 'rotate', 'shop', '--overlap', '7d']);
  expect((await listed())[0]?.['secrets']).toMatchObject([{ validUntil: formerUntil }, { validUntil: expect.any(String) as unknown }, { validUntil: null }]);

  expect((await cli.run(['key', 'revoke', 'shop'])).code).toBe(0);
  expect((await cli.run(['key', 'list'])).out).toMatch(/shop .* revoked /);
  expect(await cli.run(['key', 'rotate', 'shop'])).toMatchObject({ code: 1, err: expect.stringContaining('key/revoked') as unknown });
  expect(await cli.run(['key', 'create', 'shop', '--model', 'churn'])).toMatchObject({ code: 1, err: expect.stringContaining('key/taken') as unknown });

  const entries = await gateway.stores.ledger.list('*/principals');
  expect(entries.map(({ action }) => action)).toEqual(['key-created', 'key-rotated', 'key-rotated', 'key-revoked']);
  expect(entries[0]?.subject).toMatchObject({ key: 'shop', environment: 'production', models: ['churn'], ratePerSecond: 10 });
  expect(JSON.stringify(entries) + gateway.logged.join('\n') + (await cli.run(['key', 'list', '--json'])).out).not.toContain('pnk_');
});

test('what cannot be a key is refused, with what is wrong', async () => {
  const create = (...args: string[]) => cli.run(['key', 'create', 'other', ...args]);
  expect(await create('--model', 'nobody')).toMatchObject({ code: 1, err: expect.stringContaining('model/unknown') as unknown });
  expect(await create('--model', 'churn', '--environment', 'nowhere')).toMatchObject({ code: 1, err: expect.stringContaining('no environment nowhere') as unknown });
  expect(await create('--model', 'churn', '--expires', '2026-01-01T00:00:00Z')).toMatchObject({ code: 1, err: expect.stringContaining('body.expiresAt') as unknown });
  for (const [option, text] of [['--rate', '100'], ['--rate', '0/s'], ['--daily', '-1'], ['--expires', 'tomorrow'], ['--model', 'No Name']] as const) {
    expect(await create('--model', 'churn', option, text)).toMatchObject({ code: 2, err: expect.stringContaining(`"${text}"`) as unknown });
  }
  expect(await cli.run(['key', 'rotate', 'nobody'])).toMatchObject({ code: 1, err: expect.stringContaining('key/unknown') as unknown });
  expect((await listed()).map(({ name }) => name)).toEqual(['shop']);
});
