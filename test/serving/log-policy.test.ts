import { afterAll, beforeAll, expect, test } from 'vitest';
import { ModelDefinition } from '../../definition/model.js';
import type { PredictionLog } from '../../definition/prediction-log.js';
import { tableDefinition } from '../runtime/support/definitions.js';
import { commit, digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';
import { ask, createFixture, infer, type Fixture, type Place } from './support.js';
import { COLUMNS, passenger, trainTable } from './tables.js';
import type { InferAnswer, Trained } from './support.js';
import { createMonitorActivities } from '../../activities/monitor/index.js';
import type { ActivityDeps } from '../../activities/deps.js';

let fixture: Fixture;
let trained: Trained;
beforeAll(async () => {
  fixture = await createFixture();
  trained = await trainTable(fixture);
});
afterAll(() => fixture?.close());

const inputs = (row: Record<string, unknown>) => [
  { name: 'age', shape: [1], datatype: 'FP64', data: [row['age']] }, { name: 'city', shape: [1], datatype: 'BYTES', data: [row['city']] },
  { name: 'alone', shape: [1], datatype: 'BOOL', data: [row['alone']] }, { name: 'booked', shape: [1], datatype: 'BYTES', data: [row['booked']] },
];

/** A model that is served, whose definition in force says this of the log. */
async function placeWith(predictionLog: Parameters<typeof PredictionLog.parse>[0]): Promise<Place> {
  const place = await fixture.place();
  await fixture.route(place, await fixture.addVersion(place.model, { trained }));
  await putInForce(place.model, predictionLog, null);
  return place;
}

async function putInForce(model: string, predictionLog: unknown, instead: string | null): Promise<string> {
  const { models } = fixture.database.stores;
  const at = commit(`${model} ${JSON.stringify(predictionLog)}`);
  const definition = ModelDefinition.parse({ ...tableDefinition(COLUMNS), predictionLog });
  await models.saveDefinition({ model, repository: 'cars', commit: at, path: 'cars.model.ts', trainingDigest: digest('training'), policyDigest: digest(at), definition, bundle: ref('bundle'), networkBundle: null });
  expect(await models.setCurrent(model, at, { instead })).toBe(true);
  return at;
}

test('columns that are redacted never reach the log, nor do values that a refusal would name; such predictions train nothing', async () => {
  const place = await placeWith({ inputs: { redact: ['city'] } });
  const { model, environment } = place;
  const { stores, db } = fixture.database;
  const server = await fixture.serve(environment);
  const answer = await infer(server.url, fixture.token, model, { id: 'redacted', inputs: inputs(passenger) });
  expect((await ask(server.url, fixture.token, `/v2/models/${model}/infer`, { id: 'wrong', inputs: inputs({ ...passenger, age: 'Wien' }) })).status).toBe(422);
  await until(async () => expect(await stores.predictions.findByRequest(model, 'redacted')).toHaveLength(1));
  const [kept] = await stores.predictions.findByRequest(model, 'redacted');
  const { city: _city, ...others } = passenger;
  expect([kept?.inputKept, JSON.parse(Buffer.from(kept?.input ?? []).toString())]).toEqual(['redacted', others]);
  expect(kept?.outputs).toMatchObject({ class: expect.any(String) as string });
  await until(async () => expect(await stores.refusals.findByRequest(model, 'wrong')).toMatchObject([{ status: 422, reason: null, version: 1 }]));
  const rows = await db.query<{ text: string }>(`select convert_from(input, 'UTF8') || attributes::text || outputs::text as text from predictions where model = $1`, [model]);
  expect(rows.map(({ text }) => text).join()).not.toContain('Wien');

  await stores.labels.add([{ predictionId: answer.parameters.prediction_ids[0] ?? '', requestId: null, model, label: 'yes', by: 'test', at: new Date().toISOString() }]);
  expect(await stores.predictions.newestLabelled({ model, environment, version: 1, limit: 10 })).toMatchObject([{ actual: 'yes' }]);
  for await (const _row of stores.predictions.labelled({ model, environment })) throw new Error('a redacted input was given as a training row');
  await server.close();
});

test('inputs are kept of a share of the requests, and a commit that changes it counts while the server runs', async () => {
  const { model, environment } = await placeWith({ inputs: { share: 0.5 } });
  const { stores } = fixture.database;
  const server = await fixture.serve(environment);
  const ids = Array.from({ length: 40 }, (_, at) => `sampled-${at}`);
  for (const id of [...ids, ...ids]) await infer(server.url, fixture.token, model, { id, inputs: inputs(passenger) });
  await until(async () => expect(await stores.predictions.count({ model, environment })).toBe(80));
  const rows = (await Promise.all(ids.map((id) => stores.predictions.findByRequest(model, id)))).flat();
  const whole = new Set(rows.filter(({ inputKept, input }) => inputKept === 'whole' && input.length > 0).map(({ requestId }) => requestId));
  expect(whole.size).toBeGreaterThan(8);
  expect(whole.size).toBeLessThan(32);
  for (const { requestId, inputKept, input } of rows) expect([inputKept, input.length > 0]).toEqual(whole.has(requestId) ? ['whole', true] : ['none', false]);

  await putInForce(model, { inputs: { maximumBytes: 10 } }, commit(`${model} ${JSON.stringify({ inputs: { share: 0.5 } })}`));
  const again = [...whole][0] ?? '';
  await until(async () => {
    await infer(server.url, fixture.token, model, { id: again, inputs: inputs(passenger) });
    const found = await stores.predictions.findByRequest(model, again);
    expect(found.at(-1)?.inputKept).toBe('none');
  }, 20_000);
  await server.close();
});

test('answers are kept whole of a share of the requests, of the others as monitoring needs them; what is redacted is nowhere, and a check says that nothing can be judged', async () => {
  const { model, environment } = await placeWith({ outputs: { share: 0.5 } });
  const { stores, db } = fixture.database;
  const server = await fixture.serve(environment);
  const ids = Array.from({ length: 40 }, (_, at) => `answered-${at}`);
  const answers = new Map<string, InferAnswer>();
  for (const id of ids) answers.set(id, await infer(server.url, fixture.token, model, { id, inputs: inputs(passenger) }));
  await until(async () => expect(await stores.predictions.count({ model, environment })).toBe(ids.length));
  const [probabilities = [], [name] = []] = [...answers.values()][0]?.outputs.map(({ data }) => data) ?? [];
  const score = Math.max(...probabilities.map(Number));
  const rows = (await Promise.all(ids.map((id) => stores.predictions.findByRequest(model, id)))).flat();
  const whole = rows.filter(({ outputsKept }) => outputsKept === 'whole');
  expect(whole.length).toBeGreaterThan(8);
  expect(whole.length).toBeLessThan(32);
  for (const { outputs, outputsKept } of rows) expect(outputs).toEqual(outputsKept === 'whole' ? { class: name, probabilities: expect.any(Array) as number[] } : { class: name, probability: expect.closeTo(score, 6) as number });
  const labels = (id: string) => stores.labels.add([{ predictionId: answers.get(id)?.parameters.prediction_ids[0] ?? '', requestId: null, model, label: 'yes', by: 'test', at: new Date().toISOString() }]);
  const reduced = rows.find(({ outputsKept }) => outputsKept === 'reduced')?.requestId ?? '';
  await labels(reduced);
  expect(await stores.predictions.newestLabelled({ model, environment, version: 1, limit: 10 })).toMatchObject([{ predicted: name, probability: expect.closeTo(score, 6) as number }]);

  const was = commit(`${model} ${JSON.stringify({ outputs: { share: 0.5 } })}`);
  const asks = async (id: string) => answers.set(id, await infer(server.url, fixture.token, model, { id, inputs: inputs(passenger) }));
  const small = await putInForce(model, { outputs: { maximumBytes: 10 } }, was);
  await until(async () => {
    await asks(whole[0]?.requestId ?? '');
    expect((await stores.predictions.findByRequest(model, whole[0]?.requestId ?? '')).at(-1)?.outputsKept).toBe('reduced');
  }, 20_000);
  await putInForce(model, { outputs: { redact: ['class', 'probabilities'] } }, small);
  const from = new Date().toISOString();
  await until(async () => {
    await asks('redacted');
    expect((await stores.predictions.findByRequest(model, 'redacted')).at(-1)).toMatchObject({ outputs: null, outputsKept: 'none' });
  }, 20_000);
  expect(answers.get('redacted')?.outputs[1]?.data).toEqual([name]);
  const [kept] = await db.query<{ n: number }>('select count(*) as n from predictions where model = $1 and at >= $2 and outputs is not null and outputs_kept = \'none\'', [model, from]);
  expect(kept?.n).toBe(0);
  await until(async () => expect(await stores.predictions.get(answers.get('redacted')?.parameters.prediction_ids[0] ?? '')).toMatchObject({ outputsKept: 'none' }));
  await labels('redacted');
  const check = await createMonitorActivities({ stores } as ActivityDeps).runCheck({ model, environment });
  expect(check.verdict).toBe('inconclusive');
  expect((await stores.checks.get(check.id))?.report).toMatchObject({ unjudged: 1 });
  await server.close();
});

test('where the policy says so, a full log costs no answer: what is not logged is counted, and the counts add up', async () => {
  const { model, environment } = await placeWith({ whenFull: 'drop' });
  const { stores } = fixture.database;
  const server = await fixture.serve(environment, { limits: { logBytes: 4_000 } });
  await infer(server.url, fixture.token, model, { inputs: inputs(passenger) });
  fixture.proxy.cut();
  const metric = async () => Number(/perennial_predictions_dropped_total\{model="[^"]+"\} (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1] ?? 0);
  let answered = 1;
  while (await metric() < 5) {
    await infer(server.url, fixture.token, model, { inputs: inputs(passenger) });
    answered += 1;
  }
  fixture.proxy.restore();
  await until(async () => expect(await stores.predictions.gaps({ model, environment })).toMatchObject([{ predictions: 5 }]));
  expect(await stores.predictions.count({ model, environment })).toBe(answered - 5);
  expect(server.problems.join()).toContain('are answered and not logged');
  await server.close();
});

test.each([
  ['a column that is none', { inputs: { redact: ['name'] } }, 'a column of this definition'],
  ['a redacted column that a source of labelled predictions needs', { inputs: { redact: ['city'] } }, 'no columns, since labelled predictions'],
  ['no inputs where labelled predictions are a source', { inputs: { share: 0 } }, 'more than 0'],
  ['an output that is none', { outputs: { redact: ['value'] } }, 'an output of this definition (class, probabilities)'],
  ['a class that its probabilities would tell', { outputs: { redact: ['class'] } }, '`probabilities` as well'],
  ['an answer that thresholds need', { outputs: { redact: ['class', 'probabilities'] } }, 'at most `probabilities`'],
])('%s is refused with the definition', (name, predictionLog, expected) => {
  const { data, ...definition } = tableDefinition(COLUMNS);
  const sources = name.includes('labelled') ? [...data.sources, { kind: 'labelled-predictions', split: 'train' }] : data.sources;
  const monitoring = { thresholds: name.includes('thresholds') ? [{ name: 'low', metric: 'accuracy', below: 0.7 }] : [] };
  const parsed = ModelDefinition.safeParse({ ...definition, data: { ...data, sources }, predictionLog, monitoring });
  expect(JSON.stringify(parsed.error?.issues)).toContain(expected);
});
