import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Decision } from '../../contract/decision.js';
import { QUEUES } from '../../contract/names.js';
import { addModel, addRun } from '../stores/samples.js';
import { until } from '../support/until.js';
import { addApprover, addVersion, decisionOf } from './scenario.js';
import { startTestGateway, type TestGateway } from './support.js';

let gateway: TestGateway;
let viewer: string;
let operator: string;
const model = 'car-truck';

beforeAll(async () => {
  gateway = await startTestGateway();
  viewer = await gateway.tokenWith(['viewer']);
  operator = await gateway.tokenWith(['operator', 'auditor', 'scientist']);
  await addModel(gateway.stores, model);
});
afterAll(() => gateway.close());

const event = (run: string, eventId: string, kind: 'step' | 'progress' | 'end', message: string, data: Record<string, unknown> = {}) =>
  gateway.stores.runs.appendEvent({ run, eventId, at: new Date().toISOString(), kind, step: 'train', message, data });

test('a run that waits is explained: what happened, until when it waits, and what to do', async () => {
  const { run, version, evidence } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const { body } = await gateway.call('GET', `/runs/${run}`, { token: viewer });
  expect(body.explanation.happened).toContain('1 of 1 gates passed');
  expect(body.explanation.stands).toContain(`${model}@${version} until 2026-11-28`);
  expect(body.explanation.next).toContain(`perennial approve ${run}`);
  const sealed = await gateway.call('GET', `/runs/${run}/evidence`, { token: viewer });
  expect([sealed.body.digest, sealed.body.sealed.gates[0]?.gate]).toEqual([evidence, 'accuracy']);
});

test('a run that failed is explained by its code, message and next step', async () => {
  const run = await addRun(gateway.stores, model);
  await gateway.stores.runs.setStep(run, 'train', 'running');
  await gateway.stores.runs.end(run, 'failed', { code: 'training/not-finite', message: 'the loss became NaN in epoch 2', next: 'Lower the learning rate.' });
  const { body } = await gateway.call('GET', `/runs/${run}`, { token: viewer });
  expect(body.explanation.stands).toContain('failed at the step train: training/not-finite: the loss became NaN in epoch 2');
  expect(body.explanation.next).toBe('Lower the learning rate.');
});

test('a run that was given up in an outage says so, and how it begins again', async () => {
  const run = await addRun(gateway.stores, model);
  await gateway.stores.runs.setStep(run, 'package', 'running');
  await gateway.stores.runs.end(run, 'failed', { code: 'storage/full', message: 'the disk is full', next: 'Make room.' });
  const { body } = await gateway.call('GET', `/runs/${run}`, { token: viewer });
  expect(body.explanation.next).toMatch(/^Make room\. This run was given up after many tries: `perennial retrain/);
});

test('unknown things are answered 404 with their own code', async () => {
  for (const [path, code] of [['/runs/car-truck-r999', 'run/unknown'], ['/models/none', 'model/unknown'], [`/models/${model}/versions/999`, 'version/unknown']] as const) {
    const answer = await gateway.call('GET', path, { token: viewer });
    expect([answer.status, answer.body.error.code]).toEqual([404, code]);
  }
});

test('a stream tells old events, then each as it comes, and ends with the run', async () => {
  const run = await addRun(gateway.stores, model);
  await event(run, 'step-1', 'step', 'training');
  const response = await fetch(`${gateway.url}/api/v1/runs/${run}/stream`, { headers: { authorization: `Bearer ${viewer}` } });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const told: string[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) told.push(decoder.decode(chunk, { stream: true }));
  })();
  await until(() => { expect(told.join('')).toContain('"eventId":"step-1"'); });
  const waits: number[] = [];
  for (const epoch of [1, 2, 3]) {
    const begun = Date.now();
    await event(run, `progress-${epoch}`, 'progress', `epoch ${epoch}/8`, { epoch });
    await until(() => { expect(told.join('')).toContain(`"eventId":"progress-${epoch}"`); });
    waits.push(Date.now() - begun);
  }
  expect(Math.min(...waits)).toBeLessThan(1_500); // told: polling, which sleeps 2 s after each, would find none of them so soon
  await gateway.stores.runs.end(run, 'unchanged');
  await event(run, 'end', 'end', 'nothing to do');
  await reading;
  expect(told.join('').match(/^id: \d+$/gm)).toHaveLength(5);
  const last = [...told.join('').matchAll(/id: (\d+)\nevent: progress/g)].at(-1)?.[1] ?? '';
  const resumed = await (await fetch(`${gateway.url}/api/v1/runs/${run}/stream`, { headers: { authorization: `Bearer ${viewer}`, 'last-event-id': last } })).text();
  expect(resumed.match(/^event: \w+$/gm)).toEqual(['event: end']);
});

test('a decision that no worker takes is left with Temporal and says so', async () => {
  const keys = await addApprover(gateway.stores, 'ada');
  const { run, evidence } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  await gateway.client.workflow.start('lifecycle', { workflowId: `lifecycle/${model}/${run}`, taskQueue: 'nobody', args: [{}] });
  const decision = decisionOf(run, evidence, 'ada', keys);
  const answer = await gateway.call('POST', `/runs/${run}/decisions`, { token: viewer, body: decision });
  expect([answer.status, answer.body.state]).toEqual([202, 'queued']);
  expect(await gateway.signalsOf(`lifecycle/${model}/${run}`)).toEqual([{ name: 'decide', payload: decision }]);
});

test('a decision on a run that is over is refused as late, and the refusal is recorded and in the ledger', async () => {
  const keys = await addApprover(gateway.stores, 'bob');
  const { run, evidence } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const answer = await gateway.call('POST', `/runs/${run}/decisions`, { token: viewer, body: decisionOf(run, evidence, 'bob', keys) });
  expect([answer.status, answer.body.error.code]).toEqual([409, 'decision/late']);
  expect((await gateway.stores.decisions.list(run)).map((one) => one.refusal)).toEqual(['decision/late']);
  const { body } = await gateway.call('GET', `/ledger/${model}/production`, { token: operator });
  expect(body.entries.at(-1)).toMatchObject({ action: 'decision-refused', actor: 'bob' });
});

test('a decision that the run\'s workflow takes is answered by what was recorded of it', async () => {
  const keys = await addApprover(gateway.stores, 'grace');
  const [good, bad] = [await addVersion(gateway.stores, model, { live: false, generation: 0 }), await addVersion(gateway.stores, model, { live: false, generation: 0 })];
  const decisions = { good: decisionOf(good.run, good.evidence, 'grace', keys), bad: { ...decisionOf(bad.run, bad.evidence, 'grace', keys), signature: '' } };
  const record = (decision: Decision) => gateway.stores.decisions.record({ decision, via: 'update', accepted: decision.run === good.run, refusal: decision.run === good.run ? null : 'decision/unsigned', payloadDigest: createHash('sha256').update(JSON.stringify(decision)).digest('hex') });
  await gateway.withWorker({ recordDecision: record }, async () => {
    for (const { run } of [good, bad]) await gateway.client.workflow.start('lifecycle', { workflowId: `lifecycle/${model}/${run}`, taskQueue: QUEUES.lifecycle, args: [{}] });
    const accepted = await gateway.call('POST', `/runs/${good.run}/decisions`, { token: viewer, body: decisions.good });
    expect([accepted.status, accepted.body.state]).toEqual([200, 'accepted']);
    const { signature: _left, ...unsigned } = decisions.bad;
    const refused = await gateway.call('POST', `/runs/${bad.run}/decisions`, { token: viewer, body: unsigned });
    expect([refused.status, refused.body.error.code]).toEqual([403, 'decision/unsigned']);
  });
});

test('what is no decision, or is on another run, is refused here', async () => {
  const keys = await addApprover(gateway.stores, 'eve');
  const { run, evidence } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  for (const body of [{}, null, decisionOf('car-truck-r1', evidence, 'eve', keys), { ...decisionOf(run, evidence, 'eve', keys), comment: 'x'.repeat(20_000) }]) {
    expect((await gateway.call('POST', `/runs/${run}/decisions`, { token: viewer, body })).body.error.code).toBe('decision/malformed');
  }
});

test('a report is served from S3 as sealed, also to a browser that sends the token as a password', async () => {
  const page = '<!doctype html><p>92%</p>';
  const html = await gateway.artifacts.putBlob(Buffer.from(page));
  const { run } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const sealed = await gateway.stores.evidence.current(run);
  const digest = createHash('sha256').update(`other ${run}`).digest('hex');
  if (!sealed) throw new Error('no evidence');
  await gateway.stores.evidence.seal({ ...sealed, digest, html, json: html });
  const basic = await gateway.call('GET', `/reports/${digest}.html`, { headers: { authorization: `Basic ${Buffer.from(`me:${viewer}`).toString('base64')}` } });
  expect([basic.status, basic.text, basic.headers.get('content-security-policy')]).toEqual([200, page, expect.stringContaining("default-src 'none'")]);
  const asked = await gateway.call('GET', `/reports/${digest}.html`);
  expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')]);
  expect((await gateway.call('GET', '/models', { headers: { authorization: `Basic ${Buffer.from(`me:${viewer}`).toString('base64')}` } })).status).toBe(401);
});

test('what served when: a time needs an offset, nothing is told from unknown, and the audit holds the whole story', async () => {
  const first = await addVersion(gateway.stores, model, { live: true, generation: 0 });
  const lease = { environment: 'production', url: 'http://127.0.0.1:1', pid: 1, ttlMs: 60_000 };
  await gateway.stores.replicas.lease({ ...lease, id: 'server-1' });
  await gateway.stores.replicas.report({ replica: 'server-1', model, version: first.version, generation: 1 });
  await gateway.stores.replicas.lease({ ...lease, id: 'server-2' });
  await gateway.stores.replicas.lease({ ...lease, id: 'server-3', ttlMs: 1 });
  await new Promise((settle) => setTimeout(settle, 50));
  const now = new Date().toISOString();
  const at = (time: string) => gateway.call('GET', `/models/${model}/served-at?time=${encodeURIComponent(time)}`, { token: viewer });
  expect((await at('2026-11-21T09:00:00')).body.error.details.fields[0]?.field).toBe('query.time');
  const { body } = await at(now);
  expect(body.replicas.map((one) => [one.replica, one.state, one.version])).toEqual([['server-1', 'version', first.version], ['server-2', 'nothing', null], ['server-3', 'unknown', null]]);
  const offset = now.replace('Z', '+00:00');
  expect((await at(offset)).body.versions).toEqual([first.version]);

  const audit = await gateway.call('GET', `/models/${model}/versions/${first.version}/audit`, { token: operator });
  expect(audit.body).toMatchObject({ ledgerVerified: true, version: { version: first.version, status: 'live' }, evidence: { digest: first.evidence }, data: { rows: 1000 }, served: [{ replica: 'server-1', generation: 1 }] });
});
