import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewKey } from '../../stores/api-keys.js';
import { pictureDefinition } from '../runtime/support/definitions.js';
import { commit, digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, type Fixture, type InferAnswer, type Place } from './support.js';

let fixture: Fixture;
let pixels: number[];
/** One environment with two replicas, and two models that both serve. */
let place: Place;
let other: string;
let urls: readonly [string, string];
let problems: () => string[];

beforeAll(async () => {
  fixture = await createFixture();
  ({ pixels } = goldenPicture(fixture.trained));
  place = await fixture.place();
  other = (await fixture.place()).model;
  for (const model of [place.model, other]) await fixture.route({ model, environment: place.environment }, await fixture.addVersion(model));
  const servers = [await fixture.serve(place.environment), await fixture.serve(place.environment)] as const;
  urls = [servers[0].url, servers[1].url];
  problems = () => servers.flatMap((server) => server.problems);
});
afterAll(() => fixture?.close());

const act = () => ({ by: 'ada', id: randomUUID() });
async function keyFor(changes: Partial<NewKey> = {}): Promise<{ name: string; secret: string }> {
  const name = `key-${randomUUID().slice(0, 8)}`;
  const { secret } = await fixture.database.stores.apiKeys.create({ name, environment: place.environment, models: [place.model], scopes: ['predict'], ratePerSecond: null, daily: null, expiresAt: null, ...changes }, act());
  return { name, secret };
}
const infer = (secret: string, { url = urls[0], model = place.model, rows = 1, input = imageInput(pixels, rows) }: { url?: string; model?: string; rows?: number; input?: unknown } = {}) => ask(url, secret, `/v2/models/${model}/infer`, { inputs: [input] });
const statusOf = async (answer: ReturnType<typeof infer>) => (await answer).status;
/** A picture as TensorFlow Serving takes it. */
const nested = (flat: readonly number[]) => [...Array(32).keys()].map((y) => [...Array(32).keys()].map((x) => flat.slice((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)));
const metrics = async (url = urls[0]) => (await fetch(`${url}/metrics`)).text();

describe('a key', () => {
  test('opens its models, by every protocol, and nothing else', async () => {
    const { name, secret } = await keyFor();
    expect(await statusOf(infer(secret))).toBe(200); // the moment it was made
    expect((await ask(urls[0], secret, `/v2/models/${place.model}`)).status).toBe(200);
    expect((await ask(urls[0], secret, `/v1/models/${place.model}`)).status).toBe(200);
    expect((await ask(urls[0], secret, `/v1/models/${place.model}:predict`, { instances: [{ image: nested(pixels) }] })).status).toBe(200);
    for (const model of [other, 'nobody']) {
      const refused = { status: 403, body: { error: `The key ${name} is not for the model ${model}.` } };
      expect(await infer(secret, { model })).toMatchObject(refused);
      expect(await ask(urls[0], secret, `/v2/models/${model}/ready`)).toMatchObject(refused);
      expect(await ask(urls[0], secret, `/v1/models/${model}/versions/1:predict`, {})).toMatchObject(refused);
      expect(await ask(urls[0], secret, `/v1/models/${model}`)).toMatchObject(refused);
    }
    expect(await ask(urls[0], secret, '/v1/labels', { labels: [{ request: 'a', label: 'car', model: place.model }] })).toMatchObject({ status: 403, body: { error: 'The key lacks the scope "label".' } });
    const labelling = await keyFor({ scopes: ['label'] });
    expect(await statusOf(infer(labelling.secret))).toBe(403);
    expect((await ask(urls[0], labelling.secret, '/v1/labels', { labels: [{ request: 'a', label: 'car', model: place.model }] })).status).toBe(200);
    expect((await ask(urls[0], labelling.secret, '/v1/labels', { labels: [{ request: 'a', label: 'car', model: other }] })).status).toBe(403);
    expect(await metrics()).toContain(`perennial_key_refusals_total{key="${name}",reason="model"} 8`);
  });

  test('is named in the log of what it asked, was refused and was let do, never by its secret; so is a principal', async () => {
    const { name, secret } = await keyFor();
    const asked = (token: string, model: string, body: unknown) => ask(urls[0], token, `/v2/models/${model}/infer`, body);
    await asked(secret, place.model, { id: `of-${name}`, inputs: [imageInput(pixels)] });
    await asked(fixture.token, place.model, { id: `of-${name}`, inputs: [imageInput(pixels)] });
    await asked(secret, place.model, { id: `wrong-${name}`, inputs: [{ ...imageInput(pixels), name: 'photo' }] });
    await fetch(`${urls[0]}/v2/models/${other}/infer`, { method: 'POST', headers: { authorization: `Bearer ${secret}`, 'x-request-id': `foreign-${name}` }, body: '{}' });
    await fetch(`${urls[0]}/v2/models/${place.model}/stream`, { method: 'POST', headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/x-ndjson' }, body: `{"id":"line-${name}","row":{}}\n` }).then((answer) => answer.text());
    const { stores, db } = fixture.database;
    await until(async () => expect((await stores.predictions.findByRequest(place.model, `of-${name}`)).map(({ caller }) => caller).sort()).toEqual(['client', `key:${name}`]));
    const refused = async (model: string, id: string) => (await stores.refusals.findByRequest(model, id)).map(({ status, caller }) => [status, caller]);
    await until(async () => expect([...await refused(place.model, `wrong-${name}`), ...await refused(other, `foreign-${name}`), ...await refused(place.model, `line-${name}`)])
      .toEqual([[422, `key:${name}`], [403, `key:${name}`], [422, `key:${name}`]]));
    const [rows] = await db.query<{ text: string }>(`select (select string_agg(to_jsonb(r)::text, '') from refusals r) || (select string_agg((to_jsonb(p) - 'input')::text, '') from predictions p) as text`);
    expect(rows?.text).toContain(name);
    expect(rows?.text).not.toContain(secret);
  });

  test('of another environment, or of nobody, is not known', async () => {
    const elsewhere = await keyFor({ environment: 'production' });
    for (const secret of [elsewhere.secret, 'pnk_nobody']) expect(await infer(secret)).toMatchObject({ status: 401, body: { error: 'The token is not valid.' } });
  });

  test('is rotated, ends and is revoked without a restart, at every replica', async () => {
    const { apiKeys } = fixture.database.stores;
    const { name, secret } = await keyFor({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    const { secret: second } = await apiKeys.rotate(name, 60_000, act());
    for (const url of urls) expect([await statusOf(infer(secret, { url })), await statusOf(infer(second, { url }))]).toEqual([200, 200]);
    const { secret: third } = await apiKeys.rotate(name, 0, act());
    for (const url of urls) {
      expect(await statusOf(infer(third, { url }))).toBe(200);
      for (const former of [secret, second]) expect(await infer(former, { url })).toMatchObject({ status: 401, body: { error: `This secret of the key ${name} was replaced by another one.` } });
    }
    const ending = await keyFor({ expiresAt: new Date(Date.now() + 700).toISOString() });
    await until(async () => expect(await infer(ending.secret)).toMatchObject({ status: 401, body: { error: `The key ${ending.name} has expired.` } }));
    await apiKeys.revoke(name, act());
    for (const url of urls) await until(async () => expect(await statusOf(infer(third, { url }))).toBe(401), 2_000);
  });
});

test('holders of keys get as many decimals as the model\'s definition in force says, by every protocol; principals get all', async () => {
  const { model } = place;
  const { secret } = await keyFor();
  const { models } = fixture.database.stores;
  const at = commit(model);
  await models.saveDefinition({ model, repository: 'cars', commit: at, path: 'cars.model.ts', trainingDigest: digest('t'), policyDigest: digest('p'), definition: { ...pictureDefinition(), serving: { decimals: 1 } }, bundle: ref('bundle'), networkBundle: null });
  await models.setCurrent(model, at, { instead: null });
  const probabilities = async (token: string) => ((await infer(token)).body as InferAnswer).outputs.find(({ name }) => name === 'probabilities')?.data.map(Number) ?? [];
  const exact = await probabilities(fixture.token);
  expect(exact.some((value) => value !== Number(value.toFixed(1)))).toBe(true);
  await until(async () => expect(await probabilities(secret)).toEqual(exact.map((value) => Number(value.toFixed(1)))));
  const answer = await ask(urls[0], secret, `/v1/models/${model}:predict`, { instances: [{ image: nested(pixels) }] });
  expect(answer).toMatchObject({ status: 200, body: { predictions: [{ probabilities: exact.map((value) => Number(value.toFixed(1))) }] } });
});

describe('limits of a key', () => {
  test('its rate: what is asked beyond is refused with when to come back, a request may overdraw and is waited for', async () => {
    const slow = await keyFor({ ratePerSecond: 0.01 });
    expect(await statusOf(infer(slow.secret))).toBe(200);
    const refused = await infer(slow.secret);
    expect(refused).toMatchObject({ status: 429, body: { error: `key/rate: the key ${slow.name} may ask for 0.01 predictions a second.` } });
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(100);
    expect((await ask(urls[0], slow.secret, `/v2/models/${place.model}`)).status).toBe(200); // no prediction
    const large = await keyFor({ ratePerSecond: 0.01 });
    expect(await statusOf(infer(large.secret, { rows: 20 }))).toBe(200);
    expect(Number((await infer(large.secret)).headers.get('retry-after'))).toBeGreaterThan(1_500);
    expect(await metrics()).toContain(`perennial_key_refusals_total{key="${large.name}",reason="rate"} 1`);
    expect(await metrics()).toContain(`perennial_key_predictions_total{key="${large.name}"} 20`);
  });

  test('its rate paces a stream, which loses no line', async () => {
    const { secret } = await keyFor({ ratePerSecond: 10 });
    const begun = Date.now();
    const line = `${JSON.stringify({ inputs: [imageInput(pixels)] })}\n`;
    const response = await fetch(`${urls[0]}/v2/models/${place.model}/stream`, { method: 'POST', headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/x-ndjson' }, body: line.repeat(30) });
    const lines = (await response.text()).trim().split('\n').map((text) => JSON.parse(text) as { line: number; status?: number });
    expect(lines.map((one) => [one.line, one.status])).toEqual(Array.from({ length: 30 }, (_, index) => [index + 1, undefined]));
    expect(Date.now() - begun).toBeGreaterThan(1_900);
  });

  test('its budget of the day counts what was given, at all replicas, and is no more after a restart', async () => {
    const { name, secret } = await keyFor({ daily: 12 });
    const { apiKeys } = fixture.database.stores;
    const used = async () => (await apiKeys.list()).find((key) => key.name === name)?.usedToday;
    expect(await statusOf(infer(secret, { input: { ...imageInput(pixels), shape: [1, 3] } }))).toBe(422);
    expect(await statusOf(infer(secret, { rows: 7 }))).toBe(200);
    await until(async () => expect(await used()).toBe(7));
    expect(await statusOf(infer(secret, { url: urls[1] }))).toBe(200);
    await until(async () => expect(await used()).toBe(8));
    const refused = await infer(secret, { url: urls[1], rows: 6 });
    expect(refused).toMatchObject({ status: 429, body: { error: `key/budget: the key ${name} may ask for 12 predictions a day (UTC) and has 4 left.` } });
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(86_400);
    expect(await statusOf(infer(secret, { url: urls[1], rows: 4 }))).toBe(200);
    await until(async () => expect(await used()).toBe(12));
    await until(async () => expect(await statusOf(infer(secret))).toBe(429));
    const restarted = await fixture.serve(place.environment);
    expect(await statusOf(infer(secret, { url: restarted.url }))).toBe(429);
    await restarted.close();
  });

  test('refusals are in the log, once a minute for each key and kind, and secrets are not', () => {
    const lines = problems();
    expect(lines.filter((line) => /^the API key key-\w+ was refused: budget$/.test(line)).length).toBeGreaterThan(0);
    expect(new Set(lines.filter((line) => line.includes('was refused'))).size).toBeLessThan(20);
    expect(lines.join('\n')).not.toContain('pnk_');
  });
});

test('a key that is known is let in while PostgreSQL is away, also after a restart; one that is not known is told to wait', async () => {
  const scratch = join(fixture.folder, randomUUID());
  const { model, environment } = await fixture.place();
  await fixture.route({ model, environment }, await fixture.addVersion(model));
  const { secret } = await keyFor({ environment, models: [model], ratePerSecond: 1_000, daily: 1_000 });
  const before = await fixture.serve(environment, { scratch });
  expect(await statusOf(infer(secret, { url: before.url, model }))).toBe(200);
  await before.close();
  fixture.proxy.cut();
  try {
    const after = await fixture.serve(environment, { scratch });
    expect(await statusOf(infer(secret, { url: after.url, model }))).toBe(200);
    expect(await infer('pnk_nobody', { url: after.url, model })).toMatchObject({ status: 503, headers: expect.anything() as unknown });
    expect(JSON.stringify(after.problems)).not.toContain('pnk_');
  } finally {
    fixture.proxy.restore();
  }
});
