import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, infer, runnersOf, type Fixture, type InferAnswer } from './support.js';

let fixture: Fixture;
let pixels: number[];

beforeAll(async () => {
  fixture = await createFixture();
  ({ pixels } = goldenPicture(fixture.trained));
});
afterAll(() => fixture?.close());

const picture = () => ({ inputs: [imageInput(pixels)] });

/** Asks without pause over a few connections until told to stop. */
function traffic(url: string, model: string) {
  let going = true;
  const answers: InferAnswer[] = [];
  const failures: string[] = [];
  const loops = Promise.all(Array.from({ length: 3 }, async () => {
    while (going) {
      try {
        answers.push(await infer(url, fixture.token, model, picture()));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }));
  return { answers, failures, stop: async () => { going = false; await loops; } };
}

describe('predictions', () => {
  test('are those of the package, with ids, and are kept with what was asked', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    await fixture.route(place, await fixture.addVersion(model));
    const server = await fixture.serve(environment);
    const golden = goldenPicture(fixture.trained);
    const answer = await infer(server.url, fixture.token, model, { id: 'call-1', parameters: { light: 'night', retries: 2 }, inputs: [imageInput(golden.pixels, 2)] });
    expect(answer).toMatchObject({ model_name: model, model_version: '1', id: 'call-1', parameters: { version: 1, generation: 1, arm: 'live' } });
    const [probabilities, classes] = answer.outputs;
    expect(probabilities).toMatchObject({ name: 'probabilities', shape: [2, 2], datatype: 'FP32' });
    for (const [at, value] of golden.probabilities.entries()) expect(probabilities?.data[at]).toBeCloseTo(value, 5);
    expect(classes).toEqual({ name: 'class', shape: [2], datatype: 'BYTES', data: [golden.class, golden.class] });

    const nested = [[...Array(32).keys()].map((y) => [...Array(32).keys()].map((x) => golden.pixels.slice((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)))];
    const again = await infer(server.url, fixture.token, model, { inputs: [{ name: 'image', shape: [1, 32, 32, 3], datatype: 'FP32', data: nested }], outputs: [{ name: 'class' }] });
    expect(again.outputs).toEqual([{ name: 'class', shape: [1], datatype: 'BYTES', data: [golden.class] }]);

    await until(async () => expect(await fixture.database.stores.predictions.findByRequest(model, 'call-1')).toHaveLength(2));
    const [kept] = await fixture.database.stores.predictions.findByRequest(model, 'call-1');
    expect(kept).toMatchObject({ id: answer.parameters.prediction_ids[0], version: 1, environment, role: 'live', generation: 1, inputShape: [32, 32, 3], attributes: { light: 'night' }, outputs: { class: golden.class }, status: 'ok' });
    const { prepareMs = -1, modelMs = -1 } = kept?.latencyParts ?? {};
    expect(prepareMs + modelMs).toBeCloseTo(kept?.latencyMs ?? 0, 6);
    expect([...(kept?.input ?? [])]).toEqual(golden.pixels);
    await server.close();
  });

  test('that are asked wrongly are refused with the status that says why', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    await fixture.route(place, await fixture.addVersion(model));
    const server = await fixture.serve(environment, { limits: { bodyBytes: 200_000, maximumRows: 4 } });
    const path = `/v2/models/${model}/infer`;
    const input = imageInput(pixels);
    const cases: [name: string, status: number, path: string, body: unknown][] = [
      ['broken JSON', 400, path, '{"inputs": ['],
      ['no inputs', 400, path, { inputs: [] }],
      ['unknown datatype', 400, path, { inputs: [{ ...input, datatype: 'COMPLEX' }] }],
      ['unknown model', 404, '/v2/models/nobody/infer', picture()],
      ['unknown version', 404, `/v2/models/${model}/versions/7/infer`, picture()],
      ['no version', 404, `/v2/models/${model}/versions/latest/infer`, picture()],
      ['large body', 413, path, { inputs: [imageInput(pixels, 30)] }],
      ['many rows', 413, path, { inputs: [imageInput(pixels, 5)] }],
      ['wrong shape', 422, path, { inputs: [{ ...input, shape: [1, 32, 32] }] }],
      ['wrong length', 422, path, { inputs: [{ ...input, data: input.data.slice(1) }] }],
      ['no rows', 422, path, { inputs: [{ ...input, shape: [0, 32, 32, 3], data: [] }] }],
      ['value out of range', 422, path, { inputs: [{ ...input, data: [256, ...input.data.slice(1)] }] }],
      ['fraction of a pixel', 422, path, { inputs: [{ ...input, datatype: 'FP32', data: [0.5, ...input.data.slice(1)] }] }],
      ['text for numbers', 422, path, { inputs: [{ ...input, datatype: 'BYTES' }] }],
      ['unknown input', 422, path, { inputs: [{ ...input, name: 'photo' }] }],
      ['unknown output', 422, path, { ...picture(), outputs: [{ name: 'logits' }] }],
    ];
    for (const [name, status, where, body] of cases) {
      const answer = await ask(server.url, fixture.token, where, body);
      expect([name, answer.status]).toEqual([name, status]);
      expect(answer.body, name).toEqual({ error: expect.any(String) as string });
    }
    expect((await ask(server.url, 'pnl_wrong', path, picture())).status).toBe(401);
    const { stores } = fixture.database;
    const { token: labelsOnly } = await stores.principals.createToken({ principal: 'client', scopes: ['label'], name: 'labels' });
    expect((await ask(server.url, labelsOnly, path, picture())).status).toBe(403);
    expect((await fetch(`${server.url}/v2/nothing`)).status).toBe(404);

    const told = await fetch(`${server.url}${path}`, {
      method: 'POST', body: JSON.stringify({ id: 'call-2', ...picture(), outputs: [{ name: 'logits' }] }),
      headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/json', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    });
    const { error: reason } = await told.json() as { error: string };
    const statuses = [403, 422, ...cases.flatMap(([, status, where]) => (where.includes(model) ? [status] : []))].sort();
    const expected = [...new Set(statuses)].map((status) => ({ status, n: statuses.filter((one) => one === status).length }));
    await until(async () => expect(await stores.refusals.countByStatus({ model, environment })).toEqual(expected));
    expect(await stores.refusals.findByRequest(model, 'call-2')).toMatchObject([{ version: 1, role: 'live', generation: 1, environment, status: 422, reason, rows: 1, traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }]);
    expect(await stores.refusals.countByStatus({ model: 'nobody', environment })).toEqual([{ status: 404, n: 1 }]);
    expect(await stores.predictions.count({ model, environment })).toBe(0);
    expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
    expect((await ask(server.url, fixture.token, `/v2/models/${model}`)).body).toMatchObject({ name: model, versions: ['1'], inputs: [{ name: 'image', shape: [-1, 32, 32, 3] }], parameters: { version: 1, generation: 1 } });
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('perennial_prediction_log_unshipped_bytes');
    await server.close();
  });
});

describe('routes', () => {
  test('a switch and the way back lose no request; the way back is a switch of a warm version', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    const [first, second] = [await fixture.addVersion(model), await fixture.addVersion(model)];
    await fixture.route(place, first);
    const server = await fixture.serve(environment);
    const running = traffic(server.url, model);
    await until(() => expect(running.answers.length).toBeGreaterThan(5));
    await fixture.route(place, second);
    await until(() => expect(running.answers.at(-1)?.parameters.version).toBe(second));
    const runners = runnersOf(process.pid);
    const generation = await fixture.route(place, first);
    await until(() => expect(running.answers.at(-1)?.parameters).toMatchObject({ version: first, generation }));
    expect(runnersOf(process.pid)).toEqual(runners); // nothing was started for it
    await running.stop();
    expect(running.failures).toEqual([]);
    const order = running.answers.map((answer) => answer.parameters.generation);
    expect(Math.max(...order)).toBe(3);
    await until(async () => expect((await fixture.database.stores.replicas.live(environment))[0]?.serving).toEqual([{ model, version: first, generation }]));
    await fixture.route(place, null);
    await until(async () => expect((await ask(server.url, fixture.token, `/v2/models/${model}`)).status).toBe(404));
    await server.close();
  });

  test('a package that was damaged, or predicts otherwise than it promised, never serves; the one before goes on and the reason is kept', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    await fixture.route(place, await fixture.addVersion(model));
    const server = await fixture.serve(environment);
    const damaged = await fixture.addVersion(model, { damage: (path, bytes) => (path === 'weights.bin' ? Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes[bytes.length - 1] === 0 ? 1 : 0])]) : bytes) });
    const generation = await fixture.route(place, damaged);
    const { stores } = fixture.database;
    await until(async () => expect(await stores.replicaFailures.list(environment, model, generation)).toMatchObject([{ version: damaged, code: 'package/corrupt' }]));
    const otherwise = await fixture.addVersion(model, { pack: (path, bytes) => (path === 'golden.json' ? Buffer.from(bytes.toString('utf8').replace(/"probabilities":\[[^\]]*\]/, '"probabilities":[0.5,0.5]')) : bytes) });
    const next = await fixture.route(place, otherwise);
    await until(async () => expect(await stores.replicaFailures.list(environment, model, next)).toMatchObject([{ version: otherwise, code: 'package/golden-mismatch' }]));
    expect((await infer(server.url, fixture.token, model, picture())).parameters).toMatchObject({ version: 1, generation: 1 });
    await server.close();

    const late = await fixture.serve(environment);
    expect((await ask(late.url, fixture.token, `/v2/models/${model}/infer`, picture())).status).toBe(409);
    await late.close();
  });

  test('a runner that is killed is started again; only its requests in flight are answered 503', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    await fixture.route(place, await fixture.addVersion(model));
    const others = runnersOf(process.pid);
    const server = await fixture.serve(environment);
    const runner = runnersOf(process.pid).find((pid) => !others.includes(pid));
    if (runner === undefined) throw new Error('no runner is there');
    const running = traffic(server.url, model);
    await until(() => expect(running.answers.length).toBeGreaterThan(3));
    process.kill(runner, 'SIGKILL');
    await until(() => expect(server.problems.join()).toContain('restarted'));
    const restarted = running.answers.length;
    await until(() => expect(running.answers.length).toBeGreaterThan(restarted + 3));
    await running.stop();
    expect(running.failures.length).toBeLessThanOrEqual(3);
    for (const failure of running.failures) expect(failure).toMatch(/^503/);
    await server.close();
  });
});

describe('PostgreSQL away', () => {
  test('answers keep flowing, nothing of the log is lost, labels are refused until it is back', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    await fixture.route(place, await fixture.addVersion(model));
    const server = await fixture.serve(environment);
    const running = traffic(server.url, model);
    await until(() => expect(running.answers.length).toBeGreaterThan(3));
    fixture.proxy.cut();
    const atCut = running.answers.length;
    await new Promise((wake) => setTimeout(wake, 3_000));
    expect(running.answers.length).toBeGreaterThan(atCut + 3);
    const refused = await ask(server.url, fixture.token, '/v1/labels', { labels: [{ request: running.answers[0]?.id, label: 'car', model }] });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    await running.stop();
    fixture.proxy.restore();
    expect(running.failures).toEqual([]);
    const { stores } = fixture.database;
    await until(async () => expect(await stores.predictions.count({ model, environment })).toBe(running.answers.length));
    await server.close();
  });
});

describe('labels', () => {
  test('that arrive before their prediction is in PostgreSQL count once it is there; an unknown class is refused by name', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    await fixture.route(place, await fixture.addVersion(model));
    const server = await fixture.serve(environment);
    const answer = await infer(server.url, fixture.token, model, { id: 'early', inputs: [imageInput(pixels, 2)] });
    const [one, other] = answer.parameters.prediction_ids;
    const said = await ask(server.url, fixture.token, '/v1/labels', { labels: [{ prediction: one, label: 'truck', model }, { prediction: other, label: 'car', model }] });
    expect(said).toMatchObject({ status: 200, body: { accepted: 2 } });
    await until(async () => expect(await fixture.database.stores.predictions.countLabelled({ model, environment, version: 1 })).toBe(2));
    const wrong = await ask(server.url, fixture.token, '/v1/labels', { labels: [{ prediction: one, label: 'bicycle', model }] });
    expect(wrong.status).toBe(422);
    expect(wrong.body).toEqual({ error: expect.stringContaining('"bicycle" is not a class') as string });
    expect((await ask(server.url, fixture.token, '/v1/labels', { labels: [{ label: 'car', model }] })).status).toBe(400);
    await server.close();
  });
});
