import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commit } from '../stores/samples.js';
import { until } from '../support/until.js';
import { startTestGateway, type TestGateway } from './support.js';

let gateway: TestGateway;
let secret: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  const added = await gateway.call('POST', '/repositories', { token: await gateway.tokenWith(['operator']), body: { name: 'cars', url: '/nowhere/cars', branches: ['main'], pollSeconds: 0 } });
  expect(added.status).toBe(201);
  secret = added.body.hook.secret;
});
afterAll(() => gateway.close());

let deliveries = 0;
const push = (after: string, ref = 'refs/heads/main') => ({ ref, after, repository: { clone_url: 'https://elsewhere.example/evil.git' } });
function send(payload: unknown, { repository = 'cars', key = secret, signature, event = 'push', delivery = `delivery-${(deliveries += 1)}` }: { repository?: string; key?: string; signature?: string; event?: string; delivery?: string } = {}) {
  const raw = JSON.stringify(payload);
  const signed = signature ?? `sha256=${createHmac('sha256', key).update(raw).digest('hex')}`;
  return gateway.call('POST', `/hooks/git?repository=${repository}`, { raw, headers: { 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': delivery, 'x-hub-signature-256': signed } });
}
const started = async (id: string) => gateway.client.workflow.getHandle(`intake/cars/${id}`).describe().then((workflow) => workflow.type, () => null);

test('a signed push to a registered branch starts the intake of its commit', async () => {
  const answer = await send(push(commit('first')));
  expect([answer.status, answer.body.branch]).toEqual([202, 'main']);
  expect(await started(commit('first'))).toBe('intake');
});

test('the secret lies in a file of mode 0600 and is told again to whoever registers the repository again', async () => {
  expect((await readFile(join(gateway.secretsDir, 'hook-cars'), 'utf8')).trim()).toBe(secret);
});

test('a replayed delivery does nothing again', async () => {
  const again = { delivery: 'the-same' };
  expect((await send(push(commit('replayed')), again)).status).toBe(202);
  const replay = await send(push(commit('replayed')), again);
  expect([replay.status, replay.body.repeated]).toEqual([200, true]);
});

test('a forged, an unsigned and an unknown hook are answered alike, start nothing, and are counted', async () => {
  const forged = await send(push(commit('forged')), { key: 'a guess' });
  const unsigned = await send(push(commit('forged')), { signature: '' });
  const unknown = await send(push(commit('forged')), { repository: 'trucks' });
  const broken = await send(push(commit('forged')), { repository: '../cli-token' });
  for (const answer of [forged, unsigned, unknown, broken]) expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([401, 'hook/forged', forged.body.error.message]);
  expect(await started(commit('forged'))).toBeNull();
  const { body } = await gateway.call('GET', '/repositories', { token: await gateway.tokenWith(['viewer']) });
  expect(body.refusedHooks.map((one) => [one.repository, one.reason, one.count]).sort()).toEqual([['cars', 'bad-signature', 1], ['cars', 'unsigned', 1], [null, 'unknown-repository', 2]].sort());
});

test('a signature over other bytes than the ones that came is refused, even when the JSON means the same', async () => {
  const signature = `sha256=${createHmac('sha256', secret).update(JSON.stringify(push(commit('spaced')), null, 1)).digest('hex')}`;
  expect((await send(push(commit('spaced')), { signature })).status).toBe(401);
});

test('other branches, tags and deleted branches are taken note of and ignored', async () => {
  for (const payload of [push(commit('other'), 'refs/heads/feature'), push(commit('other'), 'refs/tags/main'), push('0'.repeat(40)), { ...push(commit('other')), deleted: true }]) {
    const answer = await send(payload);
    expect([answer.status, typeof answer.body.ignored]).toEqual([202, 'string']);
  }
  expect(await started(commit('other'))).toBeNull();
});

test('a commit that is not 40 hex digits is named as the wrong field', async () => {
  const answer = await send(push('main; rm -rf /'));
  expect([answer.status, answer.body.error.details.fields[0]?.field]).toEqual([400, 'body.after']);
});

test('ping is answered, other events are let pass', async () => {
  expect((await send({ zen: 'x' }, { event: 'ping' })).status).toBe(200);
  expect((await send({ action: 'opened' }, { event: 'issues' })).status).toBe(204);
});

test('a form-encoded hook is told which content type to choose', async () => {
  const raw = 'payload=%7B%7D';
  const answer = await gateway.call('POST', '/hooks/git?repository=cars', { raw, headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-github-event': 'push', 'x-github-delivery': 'form', 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(raw).digest('hex')}` } });
  expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining('application/json')]);
});

test('the local hook takes a scientist\'s commit, and an accepted commit is not taken in again', async () => {
  const token = await gateway.tokenWith(['scientist']);
  const body = { repository: 'cars', commit: commit('local'), branch: 'main' };
  expect((await gateway.call('POST', '/hooks/local', { token, body })).status).toBe(202);
  expect(await started(commit('local'))).toBe('intake');
  await gateway.stores.models.startIntake({ repository: 'cars', commit: commit('local'), branch: 'main', committer: { name: 'Ada', email: 'ada@example.com' }, message: 'wider' });
  await gateway.stores.models.finishIntake({ repository: 'cars', commit: commit('local'), status: 'accepted', models: [], error: null });
  expect((await gateway.call('POST', '/hooks/local', { token, body })).body.repeated).toBe(true);
  const intake = await gateway.call('GET', `/intakes/cars/${commit('local')}`, { token });
  expect([intake.body.status, intake.body.committer.name]).toEqual(['accepted', 'Ada']);
});

test('with Temporal away a hook is answered 503 within 5 s, and the same delivery works when it is back', async () => {
  const delivery = { delivery: 'redelivered' };
  gateway.temporalProxy.hang();
  const begun = Date.now();
  const answer = await send(push(commit('away')), delivery);
  expect([answer.status, answer.body.error.code, answer.headers.get('retry-after')]).toEqual([503, 'temporal/unavailable', '5']);
  expect(Date.now() - begun).toBeLessThan(15_000); // its limit is 4 s; the rest is for a busy machine
  gateway.temporalProxy.restore();
  await until(async () => { expect((await send(push(commit('away')), delivery)).status).toBe(202); }, 10_000);
  expect(await started(commit('away'))).toBe('intake');
});
