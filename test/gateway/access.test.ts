import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLES, type Role } from '../../contract/policy.js';
import { openTls } from '../../serving/http/tls.js';
import { addModel, commit } from '../stores/samples.js';
import { startTestGateway, type TestGateway } from './support.js';

let gateway: TestGateway;
const tokens = new Map<Role, string>();
let model: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  model = await addModel(gateway.stores, 'car-truck');
  for (const role of ROLES) tokens.set(role, await gateway.tokenWith([role]));
});
afterAll(() => gateway.close());

const everybody: readonly Role[] = ROLES;
/** Each class of route with a request that is right, and who may send it. */
const CLASSES: readonly { method: string; path: () => string; body?: unknown; roles: readonly Role[] }[] = [
  { method: 'GET', path: () => '/models', roles: everybody },
  { method: 'GET', path: () => `/models/${model}`, roles: everybody },
  { method: 'GET', path: () => '/runs', roles: everybody },
  { method: 'GET', path: () => '/environments', roles: everybody },
  { method: 'GET', path: () => `/models/${model}/served-at?time=2026-11-21T09:00:00Z`, roles: everybody },
  { method: 'POST', path: () => `/models/${model}/retrain`, body: { reason: 'because' }, roles: ['scientist'] },
  { method: 'POST', path: () => '/hooks/local', body: { repository: 'cars', commit: commit('x'), branch: 'main' }, roles: ['scientist'] },
  { method: 'POST', path: () => `/models/${model}/score`, body: { input: '/rows.parquet' }, roles: ['scientist'] },
  { method: 'POST', path: () => `/models/${model}/check`, body: {}, roles: ['scientist', 'operator'] },
  { method: 'POST', path: () => `/models/${model}/rollback`, body: { reason: 'because' }, roles: ['operator'] },
  { method: 'POST', path: () => `/models/${model}/release`, body: { version: 1 }, roles: ['operator'] },
  { method: 'POST', path: () => `/models/${model}/pause`, body: { reason: 'because' }, roles: ['operator'] },
  { method: 'POST', path: () => `/models/${model}/resume`, body: { reason: 'because' }, roles: ['operator'] },
  { method: 'POST', path: () => '/repositories', body: { name: 'cars', url: 'file:///cars', pollSeconds: 0 }, roles: ['operator'] },
  { method: 'PUT', path: () => '/locations/pictures', body: { uri: 'file:///data' }, roles: ['operator'] },
  { method: 'PUT', path: () => '/environments/production/policy', body: { v: 1 }, roles: ['operator'] },
  { method: 'GET', path: () => `/ledger/${model}/production/verify`, roles: ['auditor'] },
  { method: 'GET', path: () => `/models/${model}/versions/1/audit`, roles: ['auditor'] },
  { method: 'POST', path: () => `/models/${model}/versions/1/reproduce`, body: {}, roles: ['auditor', 'scientist', 'operator'] },
  { method: 'GET', path: () => '/principals', roles: ['admin', 'auditor'] },
  { method: 'POST', path: () => '/principals', body: { id: 'ada', kind: 'person', displayName: 'Ada' }, roles: ['admin'] },
  { method: 'POST', path: () => '/principals/ada/roles', body: { role: 'viewer' }, roles: ['admin'] },
  { method: 'POST', path: () => '/principals/ada/tokens', body: { name: 'test' }, roles: ['admin'] },
  { method: 'GET', path: () => '/keys', roles: ['admin', 'auditor'] },
  { method: 'POST', path: () => '/keys', body: { name: 'shop', models: ['car-truck'] }, roles: ['admin'] },
  { method: 'POST', path: () => '/keys/shop/rotate', body: {}, roles: ['admin'] },
  { method: 'POST', path: () => '/keys/shop/revoke', roles: ['admin'] },
];

describe('roles', () => {
  test.each(CLASSES.map((one) => [`${one.method} ${one.path.toString().replace(/^\(\) => /, '')}`, one] as const))('%s', async (_name, { method, path, body, roles }) => {
    for (const role of ROLES) {
      const { status, body: answer } = await gateway.call(method, path(), { token: tokens.get(role) ?? null, body });
      if (roles.includes(role)) expect([role, status]).not.toEqual([role, 403]);
      else expect([role, status, answer.error.code]).toEqual([role, 403, 'auth/forbidden']);
    }
    expect((await gateway.call(method, path(), { body })).status).toBe(401);
  });

  test('a role in one environment counts there only', async () => {
    const token = await gateway.tokenWith([['operator', 'test']]);
    const refused = await gateway.call('POST', `/models/${model}/pause`, { token, body: { environment: 'production', reason: 'x' } });
    expect([refused.status, refused.body.error.message]).toEqual([403, expect.stringContaining('in production')]);
    expect((await gateway.call('POST', `/models/${model}/pause`, { token, body: { environment: 'test', reason: 'x' } })).status).toBe(202);
  });

  test('a token for predictions opens nothing here', async () => {
    const token = await gateway.tokenWith(['viewer'], ['predict', 'label']);
    expect((await gateway.call('GET', '/models', { token })).status).toBe(403);
  });

  test('what an admin changes is in the ledger of principals', async () => {
    const { body } = await gateway.call('GET', '/ledger/*/principals', { token: tokens.get('auditor') ?? null });
    expect(body.entries.map((entry) => entry.action)).toEqual(expect.arrayContaining(['principal-added', 'role-granted', 'token-created']));
    expect(JSON.stringify(body)).not.toContain('pnl_');
  });
});

test('a foreign Host is refused, the public one and loopback are not', async () => {
  const statusFor = (host: string) => new Promise<number>((settle, fail) => {
    request(`${gateway.url}/api/v1/health`, { headers: { host } }, (response) => { response.resume(); settle(response.statusCode ?? 0); }).once('error', fail).end();
  });
  expect(await Promise.all(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'perennial.example', 'localhost:1', '[::1]:7420'].map(statusFor))).toEqual([421, 421, 421, 200, 200, 200]);
});

test('a wrong body is answered with every field that is wrong', async () => {
  const { status, body } = await gateway.call('POST', `/models/${model}/rollback`, { token: tokens.get('operator') ?? null, body: { environment: 'no spaces', to: 0, extra: 1 } });
  expect([status, body.error.code]).toEqual([400, 'request/invalid']);
  expect(body.error.details.fields.map((field) => field.field)).toEqual(expect.arrayContaining(['body.environment', 'body.reason', 'body.to']));
});

test('a body over the limit is refused, and so is one that is not JSON', async () => {
  const token = tokens.get('scientist') ?? null;
  expect((await gateway.call('POST', `/models/${model}/retrain`, { token, body: { reason: 'x'.repeat(2_000_000) } })).status).toBe(413);
  expect((await gateway.call('POST', `/models/${model}/retrain`, { token, raw: '{', headers: { 'content-type': 'application/json' } })).status).toBe(400);
});

test('an address that keeps failing is told to wait, and a right token is let through all the same', async () => {
  const token = tokens.get('viewer') ?? '';
  expect((await gateway.call('GET', '/models', { token })).status).toBe(200);
  const answers = [];
  for (let attempt = 0; attempt < 80; attempt += 1) answers.push(await gateway.call('GET', '/models', { token: `pnl_guess${attempt}` }));
  expect(answers.at(-1)?.status).toBe(429);
  expect(answers.at(-1)?.headers.get('retry-after')).toBe('60');
  expect((await gateway.call('GET', '/models', { token })).status).toBe(200);
  expect(gateway.logged.join('\n')).not.toContain('pnl_');
});

test('the OpenAPI document names every route with its parameters, body and roles', async () => {
  const { body } = await gateway.call('GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths).length).toBeGreaterThan(35);
  const rollback = body.paths['/api/v1/models/{model}/rollback']?.['post'];
  expect(rollback?.description).toContain('operator');
  expect(rollback?.requestBody.content['application/json']?.schema.required).toContain('reason');
  expect(body.paths['/api/v1/models/{model}/served-at']?.['get']?.parameters.find((one) => one.name === 'time')).toMatchObject({ in: 'query', required: true });
});

test('a gateway with a certificate speaks HTTPS alone, and takes a renewed one without a restart', { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-gateway-tls-'));
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const renew = async (name: string) => { for (const [part, to] of [['key', key], ['cert', certificate]] as const) await copyFile(fileURLToPath(new URL(`../serving/tls/${name}.${part}.pem`, import.meta.url)), to); };
  await renew('first');
  const problems: string[] = [];
  const tls = await openTls({ certificate, key }, { onProblem: (message) => problems.push(message), lookMs: 100 });
  /** Who answers, and what. */
  const ask = (url: string, path: string) => new Promise<{ name: string; status: number | undefined }>((resolve, reject) => {
    get(`${url}/api/v1${path}`, { rejectUnauthorized: false, agent: false, headers: { authorization: `Bearer ${tokens.get('viewer') ?? ''}` } }, (response) => {
      resolve({ name: String((response.socket as TLSSocket).getPeerCertificate().subject.CN), status: response.statusCode });
      response.destroy();
    }).once('error', reject);
  });
  try {
    await gateway.withTls(tls, async (url) => {
      expect(url).toMatch(/^https:/);
      expect(await ask(url, '/models')).toMatchObject({ name: 'first.test', status: 200 });
      await expect(fetch(`${url.replace('https', 'http')}/api/v1/health`)).rejects.toThrow();
      await renew('second');
      await expect.poll(async () => (await ask(url, '/models')).name, { timeout: 10_000 }).toBe('second.test');
      expect(problems.join()).toContain('is in force, valid until');
    });
  } finally {
    tls.close();
    await rm(folder, { recursive: true });
  }
});
