import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel, digest, uuid7 } from '../stores/samples.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['auditor']));
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

test('the log tells of a prediction and of a request who asked and what answered, and never the inputs', async () => {
  const model = await addModel(gateway.stores);
  const at = '2026-11-20T08:00:00.000Z';
  const place = { requestId: 'order-7', model, environment: 'production', replica: 'one', at, latencyMs: 3.5, traceId: null };
  const id = uuid7(at);
  await gateway.stores.predictions.insertMany([{
    ...place, id, version: 1, role: 'live', generation: 1, input: Buffer.from('{"city":"Wien"}'), inputShape: [], inputDigest: digest('input'), attributes: {}, outputs: { class: 'stays', probabilities: [0.2, 0.8] }, status: 'ok', caller: 'key:shop',
    explanation: { method: 'integrated-gradients', baseline: 'median', steps: 64, target: 'stays', output: 0.8, baselineOutput: 0.45, gap: 0.0012, shape: [2], attributions: { age: -0.05, visits: 0.4 } },
  }]);
  await gateway.stores.refusals.insertMany([{ ...place, id: uuid7(at), version: null, role: null, generation: null, status: 422, reason: 'Input "age" is missing.', rows: null, caller: 'ada' }]);
  const { code, out } = await cli.run(['logged', model, 'order-7']);
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`${id} +1 +live +key:shop +stays +3\\.5`));
  expect(out).toMatch(/ada +422 Input "age" is missing\./);
  expect(out).toMatch(/explained by integrated-gradients against median, the class stays: 0\.8000 instead of 0\.4500, of which 0\.0012 is not accounted for\nCOLUMN +ADDS\nvisits +\+0\.400\nage +-0\.0500/);
  const told = (await cli.run(['logged', model, id, '--json'])).out;
  expect(JSON.parse(told)).toMatchObject({ predictions: [{ id, caller: 'key:shop', outputs: { class: 'stays' }, explanation: { attributions: { visits: 0.4 } } }], refusals: [] });
  expect(told).not.toContain('Wien');
  expect(await cli.run(['logged', model, 'order-8'])).toMatchObject({ code: 1, err: expect.stringContaining('prediction/unknown') as unknown });
  await gateway.stores.checks.save({ id: 'check', model, environment: 'production', version: 1, window: { from: at, to: at }, predictions: 0, labels: 0, verdict: 'inconclusive', report: { v: 1, unjudged: 7 } });
  expect((await cli.run(['monitor', model])).out).toContain(`7 labels of ${model}@1 have nothing to be held against`);
  const counted = (replaced: number) => ({ v: 1, guardrails: { from: '2026-11-19T08:00:00.000Z', to: at, predictions: 400, guardrails: [{ guardrail: 'unsure', replaced, flagged: 3, rejected: 1 }] } });
  for (const replaced of [11, 12]) await gateway.stores.checks.save({ id: 'later', model, environment: 'production', version: 1, window: { from: at, to: at }, predictions: 0, labels: 0, verdict: 'inconclusive', report: counted(replaced) });
  expect((await cli.run(['monitor', model])).out).toContain('guardrails, from 2026-11-19 08:00 UTC to 2026-11-20 08:00 UTC, with 400 predictions answered:\n  unsure: 12 replaced, 3 flagged, 1 rejected');
  expect((await gateway.call('GET', `/models/${model}/logged/order-7`, { token: await gateway.tokenWith(['viewer']) })).status).toBe(403);
});
