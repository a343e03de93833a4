import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HTTP, type CloudEventV1 } from 'cloudevents';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ModelDefinition } from '../../definition/model.js';
import { tableDefinition } from '../runtime/support/definitions.js';
import { commit, digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, infer, type Fixture, type InferAnswer, type Place, type Trained } from './support.js';
import { COLUMNS, passenger, trainTable } from './tables.js';

let fixture: Fixture;
let trained: Trained;
let receiver: Receiver;
beforeAll(async () => {
  fixture = await createFixture();
  trained = await trainTable(fixture);
  receiver = await createReceiver();
});
afterAll(async () => {
  await fixture?.close();
  receiver?.server.close();
});

interface Receiver { server: Server; url: string; events: CloudEventV1<Record<string, unknown>>[]; headers: IncomingHttpHeaders[]; answer: (body: string) => number }

/** Somebody else's receiver, which reads bodies with the CloudEvents project's own SDK. */
async function createReceiver(): Promise<Receiver> {
  const found: Receiver = { server: createServer(), url: '', events: [], headers: [], answer: () => 202 };
  found.server.on('request', (request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const status = found.answer(body);
      if (status < 300) {
        found.headers.push(request.headers);
        found.events.push(...[HTTP.toEvent<Record<string, unknown>>({ headers: request.headers, body })].flat());
      }
      reply.writeHead(status).end();
    });
  });
  await new Promise<void>((listening) => { found.server.listen(0, '127.0.0.1', listening); });
  found.url = `http://127.0.0.1:${(found.server.address() as AddressInfo).port}/predictions`;
  return found;
}

const inputs = ['age', 'city', 'alone', 'booked'].map((name) => ({ name, shape: [1], datatype: { age: 'FP64', alone: 'BOOL' }[name] ?? 'BYTES', data: [(passenger as Record<string, unknown>)[name]] }));
const SECRET = 'the secret of the receiver';
const serve = (environment: string) => fixture.serve(environment, { events: { url: receiver.url, secret: () => Promise.resolve(SECRET), keepMs: 86_400_000 } });
const idOf = (answer: InferAnswer) => answer.parameters.prediction_ids[0] ?? '';
const received = (place: Place) => receiver.events.filter(({ source }) => source === `/environments/${place.environment}/models/${place.model}`);

async function placeOf(predictionLog: unknown, serving: unknown = {}): Promise<Place> {
  const place = await fixture.place();
  const { model } = place;
  await fixture.route(place, await fixture.addVersion(model, { trained }));
  const at = commit(model);
  const definition = ModelDefinition.parse({ ...tableDefinition(COLUMNS), predictionLog, serving });
  const { models } = fixture.database.stores;
  await models.saveDefinition({ model, repository: 'cars', commit: at, path: 'cars.model.ts', trainingDigest: digest('training'), policyDigest: digest(at), definition, bundle: ref('bundle'), networkBundle: null });
  await models.setCurrent(model, at, { instead: null });
  return place;
}

test('each prediction is an event of what the log may hold; a receiver that is away, and a server that stops meanwhile, delay events and lose none', async () => {
  const place = await placeOf({ inputs: { redact: ['city'] } });
  const { model, environment } = place;
  const first = await serve(environment);
  const ids = [idOf(await infer(first.url, fixture.token, model, { id: 'one', inputs }))];
  await until(() => expect(received(place)).toHaveLength(1));
  const [event] = received(place);
  expect(event).toMatchObject({
    specversion: '1.0', id: ids[0], type: 'perennial.prediction.v1', subject: `${model}@1`, datacontenttype: 'application/json',
    data: { prediction: ids[0], requestId: 'one', model, version: 1, environment, arm: 'live', generation: 1, caller: 'client', inputKept: 'redacted', outputsKept: 'whole', outputs: { class: expect.any(String) as string } },
  });
  const { city, ...others } = passenger;
  expect(event?.data?.['input']).toEqual(others);
  expect(JSON.stringify(received(place))).not.toContain(city);
  expect(receiver.headers.at(-1)).toMatchObject({ authorization: `Bearer ${SECRET}`, 'content-type': 'application/cloudevents-batch+json; charset=utf-8' });

  receiver.answer = () => 503;
  for (const id of ['two', 'three']) ids.push(idOf(await infer(first.url, fixture.token, model, { id, inputs })));
  const told = await fetch(`${first.url}/v2/models/${model}/infer`, {
    method: 'POST', body: JSON.stringify({ inputs }), headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/json', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
  });
  const traced = idOf(await told.json() as InferAnswer);
  await until(async () => expect(await (await fetch(`${first.url}/metrics`)).text()).toMatch(/perennial_event_requests_failed_total\{reason="status"\} [1-9]/));
  await first.close();
  expect(first.problems.join()).toContain('events cannot be sent and wait in PostgreSQL: the receiver answered 503');
  expect(first.problems.join()).not.toContain(SECRET);
  expect(await fixture.database.stores.predictionEvents.waiting(environment)).toMatchObject({ events: 3 });

  receiver.answer = () => 202;
  const second = await serve(environment);
  await until(() => expect(new Set(received(place).map(({ id }) => id))).toEqual(new Set([...ids, traced])));
  expect(received(place).find(({ id }) => id === traced)?.['traceparent']).toBe(`00-4bf92f3577b34da6a3ce929d0e0e4736-${traced.replaceAll('-', '').slice(16)}-00`);
  await until(async () => expect(await fixture.database.stores.predictionEvents.waiting(environment)).toMatchObject({ events: 0 }));
  expect(await (await fetch(`${second.url}/metrics`)).text()).toContain('perennial_events_total{outcome="sent"} 3');
  await second.close();
});

test('what guardrails found and what explains an answer is in its event, and refusals are events of their own, as the log holds them', async () => {
  const place = await placeOf({}, { guardrails: [{ kind: 'confidence', name: 'unsure', below: 1, on: 'flag' }, { kind: 'input-range', name: 'age', on: 'reject' }] });
  const { model, environment } = place;
  const server = await serve(environment);
  await infer(server.url, fixture.token, model, { id: 'explained', inputs, parameters: { explain: true } });
  const old = inputs.map((input) => (input.name === 'age' ? { ...input, data: [130] } : input));
  expect((await ask(server.url, fixture.token, `/v2/models/${model}/infer`, { id: 'refused', inputs: old })).status).toBe(422);
  expect((await ask(server.url, fixture.token, `/v2/models/no model/infer`, { id: 'unknown', inputs })).status).toBe(404);
  await until(() => expect(received(place)).toHaveLength(2));
  const [prediction, refusal] = ['perennial.prediction.v1', 'perennial.refusal.v1'].map((type) => received(place).find((event) => event.type === type));
  expect(prediction?.data).toMatchObject({ guarded: { triggers: [{ guardrail: 'unsure', action: 'flag' }] }, explanation: { method: 'integrated-gradients', attributions: { age: expect.any(Number) as number } } });
  expect(prediction?.data).not.toHaveProperty('omitted');
  const [kept] = await fixture.database.stores.refusals.findByRequest(model, 'refused');
  expect(refusal).toMatchObject({ id: kept?.id, subject: `${model}@1`, time: kept?.at, data: { refusal: kept?.id, requestId: 'refused', model, version: 1, arm: 'live', status: 422, reason: kept?.reason, rows: 1, caller: 'client', guardrails: [{ guardrail: 'age', value: 130, maximum: 58 }] } });
  await until(() => expect(receiver.events.find(({ source }) => source === `/environments/${environment}/models/no%20model`)).toMatchObject({ type: 'perennial.refusal.v1', subject: 'no model', data: { status: 404, version: null, arm: null } }));

  receiver.answer = () => 503;
  const { id, at: _at, ...own } = (await fixture.database.stores.predictions.findByRequest(model, 'explained'))[0] ?? (() => { throw new Error('it is not logged'); })();
  const at = new Date().toISOString();
  const large = id.replace(/^......../, '01abcdef');
  await fixture.database.stores.predictions.insertMany([{ ...own, id: large, at, explanation: own.explanation && { ...own.explanation, attributions: 'A'.repeat(70_000) }, guarded: { triggers: own.guarded?.triggers ?? [], instead: { by: 'answer', own: { class: 'yes', probabilities: new Array<number>(30_000).fill(0.5) } } } }], { events: true });
  receiver.answer = () => 202;
  await until(() => expect(received(place).find((event) => event.id === large)?.data).toMatchObject({ guarded: { triggers: [{ guardrail: 'unsure' }], instead: { by: 'answer' } }, explanation: { method: 'integrated-gradients', attributions: null }, omitted: ['guarded.instead.own', 'explanation.attributions'] }), 20_000);
  expect(received(place).find((event) => event.id === large)?.data).not.toHaveProperty('guarded.instead.own');
  await server.close();
});

test('an event that the receiver does not take is given up alone, and counted; a picture is named by its digest', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model));
  receiver.answer = () => 503;
  const server = await serve(environment);
  const ids: string[] = [];
  for (const id of ['good-1', 'poison', 'good-2']) ids.push(idOf(await infer(server.url, fixture.token, model, { id, inputs: [imageInput(goldenPicture(fixture.trained).pixels)] })));
  receiver.answer = (body) => (body.includes('"poison"') ? 422 : 200);
  const { predictionEvents } = fixture.database.stores;
  await until(async () => {
    expect(new Set(received(place).map(({ id }) => id))).toEqual(new Set([ids[0], ids[2]]));
    expect(await predictionEvents.waiting(environment)).toMatchObject({ events: 0 });
  }, 20_000);
  expect(received(place)[0]?.data).toMatchObject({ inputKept: 'omitted', inputBytes: 32 * 32 * 3, inputDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  expect(await predictionEvents.givenUp(environment)).toEqual([{ reason: 'refused', events: 1 }]);
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('perennial_events_total{outcome="given-up-refused"} 1');
  expect(server.problems.join()).toContain('1 events were given up: the receiver answered 422');
  await server.close();
  receiver.answer = () => 202;
});

test('what a sender had in its hands when it died is sent by another; what was not taken for too long is given up, and counted', async () => {
  const place = await placeOf({});
  const { model, environment } = place;
  const { predictionEvents } = fixture.database.stores;
  receiver.answer = () => 503;
  const server = await serve(environment);
  const id = idOf(await infer(server.url, fixture.token, model, { inputs }));
  await until(async () => expect(await predictionEvents.waiting(environment)).toMatchObject({ events: 1 }));
  await server.close();
  expect((await predictionEvents.claim(environment, { limit: 10, leaseMs: 60_000 })).events).toMatchObject([{ id }]);
  expect((await predictionEvents.claim(environment, { limit: 10, leaseMs: 60_000 })).events).toEqual([]);
  expect(await predictionEvents.expire(environment, 0)).toBe(0); // somebody may be sending it
  await fixture.database.db.query(`update prediction_events set claimed_until = now() - interval '1 second' where environment = $1`, [environment]);
  expect((await predictionEvents.claim(environment, { limit: 10, leaseMs: 0 })).events).toMatchObject([{ id }]);
  expect(await predictionEvents.expire(environment, 0)).toBe(1);
  expect(await predictionEvents.givenUp(environment)).toEqual([{ reason: 'expired', events: 1 }]);
  receiver.answer = () => 202;
});
