import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addModel, addRun } from '../stores/samples.js';
import { until } from '../support/until.js';
import { addApprover, addVersion, decisionOf } from './scenario.js';
import { startTestGateway, type TestGateway } from './support.js';

let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.tokenWith(['operator', 'scientist', 'auditor']);
});
afterAll(() => gateway.close());

/** Whoever holds `token`. */
const by = 'principal-1';

async function addLiveModel(name: string) {
  await addModel(gateway.stores, name);
  const first = await addVersion(gateway.stores, name, { live: true, generation: 0 });
  const second = await addVersion(gateway.stores, name, { live: true, generation: 1 });
  return { first, second };
}

test('retrain asks the governor, once for each request id', async () => {
  const model = await addModel(gateway.stores);
  for (let attempt = 0; attempt < 2; attempt += 1) expect((await gateway.call('POST', `/models/${model}/retrain`, { token, body: { reason: 'more pictures', force: true, id: 'request-1' } })).body.cause).toBe('request:request-1');
  const signals = await gateway.signalsOf(`governor/${model}`);
  expect(signals[0]).toEqual({ name: 'train', payload: { v: 1, id: 'request-1', cause: 'request:request-1', commit: null, reason: { kind: 'request', detail: 'more pictures', by, force: true } } });
  expect(new Set(signals.map((signal) => signal.payload.id)).size).toBe(1);
});

test('release asks the environment for an approved version only', async () => {
  const model = await addModel(gateway.stores);
  const keys = await addApprover(gateway.stores, 'ada');
  const { run, version, evidence } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const early = await gateway.call('POST', `/models/${model}/release`, { token, body: { version } });
  expect([early.status, early.body.error.code]).toEqual([409, 'release/not-approved']);
  await gateway.stores.decisions.record({ decision: decisionOf(run, evidence, 'ada', keys), via: 'signal', accepted: true, refusal: null, payloadDigest: evidence });
  expect((await gateway.call('POST', `/models/${model}/release`, { token, body: { version, id: 'release-1' } })).status).toBe(202);
  expect(await gateway.signalsOf(`environment/${model}/production`)).toEqual([{ name: 'release', payload: { v: 1, id: 'release-1', run, version, evidence, force: false, by, replyTo: `lifecycle/${model}/${run}`, keepWarmMs: 900_000 } }]);
});

test('a version that was judged against what is live no more is refused at once, and may be forced', async () => {
  const { first: { version: older } } = await addLiveModel('moved-on');
  const keys = await addApprover(gateway.stores, 'grace');
  const approved = async (generation: number) => {
    const made = await addVersion(gateway.stores, 'moved-on', { live: false, generation });
    await gateway.stores.decisions.record({ decision: decisionOf(made.run, made.evidence, 'grace', keys), via: 'signal', accepted: true, refusal: null, payloadDigest: made.evidence });
    return made.version;
  };
  const release = async (version: number, force = false) => gateway.call('POST', '/models/moved-on/release', { token, body: { version, force } });
  const stale = await approved(1);
  expect((await release(stale)).body.error.code).toBe('release/stale-evidence');
  expect((await release(stale, true)).status).toBe(202);
  expect((await release(await approved(2))).status).toBe(202);
  expect((await release(older)).body.error.code).toBe('release/not-approved');
});

test('pause, resume and rollback reach the environment; a rollback without a version before is refused at once', async () => {
  const model = 'signals';
  const { first } = await addLiveModel(model);
  await gateway.call('POST', `/models/${model}/pause`, { token, body: { reason: 'holidays' } });
  await gateway.call('POST', `/models/${model}/resume`, { token, body: { reason: 'back', version: first.version } });
  const rolled = await gateway.call('POST', `/models/${model}/rollback`, { token, body: { reason: 'worse at night' } });
  expect(rolled.body).toMatchObject({ from: 2, to: 1, breakGlass: false });
  expect((await gateway.signalsOf(`environment/${model}/production`)).map((signal) => [signal.name, signal.payload.reason])).toEqual([['pause', 'holidays'], ['resume', 'back'], ['rollback', 'worse at night']]);
  const alone = await addModel(gateway.stores);
  expect((await gateway.call('POST', `/models/${alone}/rollback`, { token, body: { reason: 'x' } })).body.error.code).toBe('rollback/nothing-before');
});

test('a scoring job that ended without its result says so', async () => {
  await addLiveModel('scored');
  const job = 'score-job-1';
  expect((await gateway.call('POST', '/models/scored/score', { token, body: { input: '/rows.csv', id: job } })).status).toBe(202);
  const statusOf = async () => (await gateway.call('GET', `/scores/${job}?model=scored`, { token })).body;
  expect(await statusOf()).toMatchObject({ status: 'unknown', error: null });
  await gateway.client.workflow.getHandle(`score/scored/${job}`).terminate('wrong file');
  expect(await statusOf()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('wrong file') as string } });
});

test('a reproduction is started once for its id, and one that was ended by hand says so', async () => {
  const model = 'reproduced';
  await addLiveModel(model);
  const [id, path] = ['reproduction-1', `/models/${model}/versions/1/reproduce`];
  for (let times = 0; times < 2; times += 1) expect([(await gateway.call('POST', path, { token, body: { id } })).status]).toEqual([202]);
  expect((await gateway.call('POST', `/models/${model}/versions/99/reproduce`, { token, body: {} })).body.error.code).toBe('version/unknown');
  const workflow = gateway.client.workflow.getHandle(`reproduction/${model}/1/${id}`);
  expect((await workflow.describe()).type).toBe('reproduction');
  const look = async () => (await gateway.call('GET', `/reproductions/${id}?model=${model}&version=1`, { token })).body;
  expect(await look()).toMatchObject({ status: 'starting', reproduction: null, error: null });
  await gateway.stores.reproductions.create({ id, model, version: 1, by, tolerance: null });
  expect(await look()).toMatchObject({ status: 'running', error: null });
  await workflow.terminate('by hand');
  expect(await look()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('by hand') as string } });
});

test('cancel reaches the run, and says so when there is nothing to stop', async () => {
  const model = await addModel(gateway.stores);
  const run = await addRun(gateway.stores, model);
  expect((await gateway.call('POST', `/runs/${run}/cancel`, { token, body: { reason: 'x' } })).status).toBe(409);
  await gateway.client.workflow.start('lifecycle', { workflowId: `lifecycle/${model}/${run}`, taskQueue: 'nobody', args: [{}] });
  expect((await gateway.call('POST', `/runs/${run}/cancel`, { token, body: { reason: 'wrong data' } })).status).toBe(202);
  expect((await gateway.signalsOf(`lifecycle/${model}/${run}`))[0]).toMatchObject({ name: 'cancel', payload: { reason: 'wrong data', superseded: false } });
});

test('with Temporal away a rollback is written at once, quarantines what it leaves, is in the ledger, and the workflow is told when Temporal is back', async () => {
  const model = 'break-glass';
  await addLiveModel(model);
  gateway.temporalProxy.cut();
  const begun = Date.now();
  const body = { reason: 'errors at night', id: 'rollback-1' };
  const answer = await gateway.call('POST', `/models/${model}/rollback`, { token, body });
  expect(Date.now() - begun).toBeLessThan(15_000); // its limit is 4 s; the rest is for a busy machine
  expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ from: 2, to: 1, generation: 3, breakGlass: true, why: 'Temporal is away' })]);
  expect(await gateway.stores.routes.current('production', model)).toMatchObject({ generation: 3, intent: 'rollback-1', arms: [{ version: 1, role: 'live', share: 1 }] });
  expect([(await gateway.stores.versions.get(model, 2))?.status, (await gateway.stores.versions.get(model, 1))?.status]).toEqual(['quarantined', 'live']);
  expect((await gateway.stores.ledger.head(`${model}/production`))?.action).toBe('break-glass');

  const again = await gateway.call('POST', `/models/${model}/rollback`, { token, body: { ...body, breakGlass: true } });
  expect([again.status, again.body.generation]).toEqual([200, 3]);
  expect((await gateway.stores.ledger.list(`${model}/production`)).filter((entry) => entry.action === 'break-glass')).toHaveLength(1);

  gateway.temporalProxy.restore();
  await until(async () => { expect(await gateway.signalsOf(`environment/${model}/production`)).toEqual([{ name: 'routeChanged', payload: { v: 1, id: `route-changed/production/${model}/3` } }]); }, 15_000);
});

test('a gateway that died right after writing a break-glass route leaves nothing undone', async () => {
  const model = 'half-done';
  await addLiveModel(model);
  await gateway.stores.routes.write({ environment: 'production', model, expected: 2, intent: 'rollback-2', arms: [{ version: 1, role: 'live', share: 1 }], keepWarmMs: 0, by, reason: 'break-glass: errors at night' });
  await until(async () => { expect((await gateway.stores.ledger.head(`${model}/production`))?.subject).toMatchObject({ from: 2, to: 1, generation: 3, reason: 'errors at night' }); });
  expect((await gateway.stores.versions.get(model, 2))?.status).toBe('quarantined');
});

test('a branch is polled, and a commit that no hook told of is taken in', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-polled-'));
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { encoding: 'utf8' }).trim();
  try {
    git('init', '--quiet', '--initial-branch=main');
    git('commit', '--quiet', '--allow-empty', '-m', 'first');
    const head = git('rev-parse', 'HEAD');
    expect((await gateway.call('POST', '/repositories', { token, body: { name: 'polled', url: folder, pollSeconds: 5 } })).status).toBe(201);
    await until(async () => { expect((await gateway.client.workflow.getHandle(`intake/polled/${head}`).describe()).type).toBe('intake'); });
    await until(async () => { expect((await gateway.stores.repositories.heads('polled')).map((one) => one.commit)).toEqual([head]); });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('with PostgreSQL away everything is answered 503 within 5 s, and works again when it is back', async () => {
  for (const away of ['cut', 'hang'] as const) {
    gateway.databaseProxy[away]();
    const begun = Date.now();
    const [models, hook, health] = await Promise.all([
      gateway.call('GET', '/models', { token }), gateway.call('POST', '/hooks/git?repository=polled', { raw: '{}', headers: { 'content-type': 'application/json' } }), gateway.call('GET', '/health'),
    ]);
    expect([models.status, models.body.error.code, hook.status]).toEqual([503, 'database/unavailable', 503]);
    expect(health.body).toMatchObject({ status: 'degraded', parts: { database: false, temporal: true } });
    expect(Date.now() - begun).toBeLessThan(15_000); // its limit is 4 s; the rest is for a busy machine
  }
  gateway.databaseProxy.restore();
  await until(async () => { expect((await gateway.call('GET', '/models', { token })).status).toBe(200); }, 10_000);
});

test('erase records no key, takes the role, searches by a workflow, and lists what was trained on the row', async () => {
  const model = await addModel(gateway.stores);
  const { version } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const snapshot = (await gateway.stores.versions.get(model, version))?.snapshot ?? '';
  const erase = (body: object, as = token) => gateway.call('POST', `/models/${model}/erasures`, { token: as, body: { reason: 'a request', id: 'erasure-00001', ...body } });
  const key = 'ada.lovelace@example.com';
  expect((await erase({ key }, await gateway.tokenWith(['scientist', 'viewer', 'auditor', 'approver']))).body.error.code).toBe('auth/forbidden');
  expect((await erase({})).body.error.code).toBe('request/invalid');
  expect((await erase({ key })).body).toMatchObject({ erasure: 'erasure-00001', created: true });
  expect((await erase({ key, id: 'erasure-00002' })).body).toMatchObject({ erasure: 'erasure-00001', created: false });
  const { events = [] } = await gateway.client.workflow.getHandle(`erasure/${model}/erasure-00001`).fetchHistory();
  expect(Buffer.from(events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? []).toString()).toBe(JSON.stringify({ v: 1, model, id: 'erasure-00001' }));
  const entries = await gateway.stores.ledger.list(`${model}/runs`);
  expect(entries.map(({ action, actor, subject }) => [action, actor, subject])).toContainEqual(['erasure-requested', by, { erasure: 'erasure-00001' }]);
  expect(JSON.stringify([entries, (await gateway.call('GET', '/erasures/erasure-00001', { token })).body, gateway.logged])).not.toContain('lovelace');

  await gateway.stores.erasures.mark({ erasure: 'erasure-00001', snapshot, files: [snapshot] });
  await gateway.stores.erasures.searched('erasure-00001');
  const found = (await gateway.call('GET', `/models/${model}/erasures`, { token })).body as unknown as { erasures: unknown[] };
  expect(found.erasures).toMatchObject([{ erasure: { id: 'erasure-00001', by }, snapshots: [{ snapshot, removedAt: null }], versions: [{ version, snapshot }] }]);
});
