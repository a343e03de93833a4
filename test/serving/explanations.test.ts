import { randomUUID } from 'node:crypto';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeptExplanation } from '../../contract/explanation.js';
import { ModelDefinition } from '../../definition/model.js';
import { pictureDefinition, tableDefinition } from '../runtime/support/definitions.js';
import { commit, digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, type Fixture, type InferAnswer } from './support.js';
import { COLUMNS, passenger, serveModels, type ServedModels } from './tables.js';

let fixture: Fixture;
let models: ServedModels;
let pixels: number[];
beforeAll(async () => {
  fixture = await createFixture();
  models = await serveModels(fixture);
  ({ pixels } = goldenPicture(fixture.trained));
});
afterAll(() => fixture?.close());

interface Explained extends InferAnswer { parameters: InferAnswer['parameters'] & { explanation: { method: string; baseline: string; steps?: number; columns?: string[]; targets?: string[]; outputs: number[]; baseline_outputs: number[]; gaps: number[] } } }

const inputs = (rows = 1, row: Record<string, unknown> = passenger) => ([['age', 'FP64'], ['city', 'BYTES'], ['alone', 'BOOL'], ['booked', 'BYTES']] as const)
  .map(([name, datatype]) => ({ name, datatype, shape: [rows], data: Array.from({ length: rows }, () => row[name] ?? null) }));
const post = (model: string, body: unknown, token = fixture.token) => ask(models.url, token, `/v2/models/${model}/infer`, body);
const explained = async (model: string, body: object): Promise<Explained> => {
  const answer = await post(model, { parameters: { explain: true }, ...body });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body as Explained;
};
const tensor = ({ outputs }: InferAnswer) => {
  const found = outputs.find(({ name }) => name === 'explanation');
  if (!found) throw new Error('there is no explanation');
  return { ...found, data: found.data.map(Number) };
};
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
async function logged(id: string): Promise<KeptExplanation | null> {
  let found: KeptExplanation | null = null;
  await until(async () => {
    const row = await fixture.database.stores.predictions.get(id);
    expect(row).not.toBeNull();
    found = row?.explanation ?? null;
  });
  return found;
}
async function putInForce(model: string, definition: ModelDefinition): Promise<void> {
  const { models: store } = fixture.database.stores;
  const at = commit(`${model} ${JSON.stringify(definition)}`);
  const before = (await store.get(model))?.currentCommit ?? null;
  await store.saveDefinition({ model, repository: 'cars', commit: at, path: 'cars.model.ts', trainingDigest: digest('t'), policyDigest: digest(at), definition, bundle: ref('bundle'), networkBundle: null });
  expect(await store.setCurrent(model, at, { instead: before })).toBe(true);
}

describe('an answer that is asked to be explained', () => {
  test('of a table has a number for each raw column, which sum to what sets the row apart from the baseline; the log has them by name', async () => {
    const answer = await explained(models.table, { inputs: inputs(2) });
    const { explanation } = answer.parameters;
    expect(explanation).toMatchObject({ method: 'integrated-gradients', baseline: 'median', steps: 64, columns: ['age', 'city', 'alone', 'booked'] });
    const { shape, datatype, data } = tensor(answer);
    expect({ shape, datatype }).toEqual({ shape: [2, 4], datatype: 'FP64' });
    const [probabilities, classes] = answer.outputs;
    for (const row of [0, 1]) {
      const difference = (explanation.outputs[row] ?? NaN) - (explanation.baseline_outputs[row] ?? NaN);
      expect(Math.abs(sum(data.slice(4 * row, 4 * row + 4)) - difference)).toBeCloseTo(explanation.gaps[row] ?? NaN, 6);
      expect(explanation.gaps[row]).toBeLessThan(0.01);
      expect(explanation.targets?.[row]).toBe(classes?.data[row]);
      expect(probabilities?.data).toContainEqual(expect.closeTo(explanation.outputs[row] ?? NaN, 5));
    }
    expect(await logged(answer.parameters.prediction_ids[1] ?? '')).toMatchObject({
      method: 'integrated-gradients', target: explanation.targets?.[1], gap: explanation.gaps[1], shape: [4],
      attributions: Object.fromEntries(['age', 'city', 'alone', 'booked'].map((name, column) => [name, data[4 + column]])),
    });
    expect(await logged((await post(models.table, { inputs: inputs() }).then(({ body }) => body as InferAnswer)).parameters.prediction_ids[0] ?? '')).toBeNull();
  });

  test('of a picture has a map of its size, as JSON, as bytes and for a picture alone; the log has it as float32', async () => {
    const answer = await explained(models.pictures, { inputs: [imageInput(pixels)] });
    const { shape, datatype, data } = tensor(answer);
    expect({ shape, datatype }).toEqual({ shape: [1, 32, 32], datatype: 'FP32' });
    const { gaps, outputs, baseline_outputs: from } = answer.parameters.explanation;
    expect(sum(data)).toBeCloseTo((outputs[0] ?? NaN) - (from[0] ?? NaN), 2);
    expect(gaps[0]).toBeLessThan(0.02);
    const kept = await logged(answer.parameters.prediction_ids[0] ?? '');
    const map = Buffer.from(typeof kept?.attributions === 'string' ? kept.attributions : '', 'base64');
    expect(Array.from(new Float32Array(new Uint8Array(map).buffer))).toEqual(data.map((value) => expect.closeTo(value, 6) as number));
    const binary = await fetch(`${models.url}/v2/models/${models.pictures}/infer`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ parameters: { explain: true, binary_data_output: true }, inputs: [imageInput(pixels)] }) });
    const bytes = Buffer.from(await binary.arrayBuffer());
    const header = JSON.parse(bytes.subarray(0, Number(binary.headers.get('inference-header-content-length'))).toString()) as { outputs: { name: string; parameters: unknown }[] };
    expect(header.outputs.find(({ name }) => name === 'explanation')?.parameters).toEqual({ binary_data_size: 4 * 32 * 32 });

    const { url } = models;
    const file = encode({ width: 32, height: 32, channels: 3, depth: 8, data: Uint8Array.from(pixels) });
    const alone = await fetch(`${url}/v2/models/${models.pictures}/infer?explain=true&light=day`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'image/png' }, body: new Uint8Array(file) });
    expect(tensor((await alone.json()) as InferAnswer).data).toEqual(data.map((value) => expect.closeTo(value, 6) as number));

    const occluded = await explained(models.pictures, { parameters: { explain: { method: 'occlusion', patch: 16, baseline: 'black' } }, inputs: [imageInput(pixels)] });
    expect(occluded.parameters.explanation).toMatchObject({ method: 'occlusion', patch: 16, baseline: 'black' });
    expect(new Set(tensor(occluded).data).size).toBeLessThanOrEqual(4);
  });

  test('of a number is in the target\'s unit; rows by name, and lines of a stream, have theirs', async () => {
    const row = { instances: [{ size: 80 }, { size: 60 }], parameters: { explain: { steps: 8 } } };
    const rows = (await ask(models.url, fixture.token, `/v1/models/${models.prices}:predict`, row)).body as { predictions: number[]; explanations: { size: number }[]; parameters: Explained['parameters'] };
    const [first = NaN, second = NaN] = rows.explanations.map(({ size }) => size);
    expect(first - second).toBeCloseTo((rows.predictions[0] ?? NaN) - (rows.predictions[1] ?? NaN), 2);
    expect(rows.parameters.explanation).toMatchObject({ steps: 8, columns: ['size'] });
    const stream = await fetch(`${models.url}/v2/models/${models.prices}/stream`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-ndjson' }, body: `${JSON.stringify({ row: { size: 80 }, parameters: { explain: true } })}\n` });
    expect(tensor(JSON.parse(await stream.text()) as InferAnswer).data).toEqual([expect.closeTo(first, 3)]);
  });
});

test.each([
  ['an unknown option', { step: 3 }, 400, 'parameters.explain'],
  ['too many steps', { steps: 100_000 }, 400, 'parameters.explain.steps'],
  ['a text', 'yes', 400, 'true, or an object with any of method, target, steps, patch and baseline'],
  ['a class that is none', { target: 'perhaps' }, 422, 'there is no class "perhaps". The model knows: no, yes.'],
  ['a baseline of pictures', { baseline: 'black' }, 422, 'the baseline of a table is median or zeros, or values of columns, not black.'],
  ['a baseline with a column that is none', { baseline: { name: 'Ada' } }, 422, '"name", which is no column of the model.'],
  ['a baseline with a value that does not fit', { baseline: { age: 'old' } }, 422, 'baseline "age": the value is not a finite number, or null.'],
  ['patches of a table', { method: 'occlusion', patch: 4 }, 422, 'patches are of pictures'],
  ['zeros of what the method does not look at', { method: 'shapley', baseline: 'zeros' }, 422, 'which shapley does not look at'],
])('%s is refused with what would do', async (_name, explain, status, message) => {
  expect(await post(models.table, { parameters: { explain }, inputs: inputs() })).toMatchObject({ status, body: { error: expect.stringContaining(message) as string } });
});

test('explanations have limits of their own: rows, how many wait, and the request\'s time', async () => {
  expect(await post(models.table, { parameters: { explain: true }, inputs: inputs(17) })).toMatchObject({ status: 413, body: { error: 'A request that is explained may hold 16 rows; this one has 17.' } });
  const long = { parameters: { explain: { method: 'integrated-gradients', steps: 512 } }, inputs: [imageInput(pixels, 16)] };
  expect(await post(models.pictures, { ...long, parameters: { ...long.parameters, timeout: 60_000 } })).toMatchObject({ status: 504, body: { error: expect.stringContaining('The explanation took too long') as string } });
  const begun = performance.now();
  const crowd = Array.from({ length: 8 }, () => post(models.pictures, { ...long, parameters: { ...long.parameters, timeout: 4_000_000 } }));
  const quick: number[] = [];
  for (let asked = 0; asked < 20; asked += 1) {
    const askedAt = performance.now();
    expect(await post(models.pictures, { inputs: [imageInput(pixels)] })).toMatchObject({ status: 200 });
    quick.push(performance.now() - askedAt);
  }
  const statuses = (await Promise.all(crowd)).map(({ status }) => status);
  expect(statuses).toContain(503);
  expect(statuses).toContain(504);
  expect((await explained(models.pictures, { parameters: { explain: { steps: 1 } }, inputs: [imageInput(pixels)] })).outputs).toHaveLength(3); // what was given up is not computed
  expect(performance.now() - begun).toBeLessThan(9_000);
  // While explanations of seconds are computed, a prediction waits for a slice of theirs, not for all.
  expect(quick.toSorted((a, b) => a - b)[10]).toBeLessThan(250);
  const metrics = await (await fetch(`${models.url}/metrics`)).text();
  expect(metrics).toMatch(new RegExp(`perennial_explanations_total\\{model="${models.pictures}",version="1",method="integrated-gradients",status="504"\\} [1-9]`));
  expect(metrics).toMatch(new RegExp(`perennial_explanation_evaluations_total\\{model="${models.pictures}",version="1"\\} [1-9]`));
});

test('who gets explanations is the definition\'s to say; holders of keys get them rounded as answers are', async () => {
  const { apiKeys } = fixture.database.stores;
  const { secret } = await apiKeys.create({ name: `key-${randomUUID().slice(0, 8)}`, environment: models.environment, models: [models.pictures], scopes: ['predict'], ratePerSecond: null, daily: null, expiresAt: null }, { by: 'ada', id: randomUUID() });
  const body = { parameters: { explain: { steps: 4 } }, inputs: [imageInput(pixels)] };
  expect(await post(models.pictures, body, secret)).toMatchObject({ status: 403, body: { error: expect.stringContaining('not explained to holders of keys') as string } });
  expect(await post(models.pictures, { ...body, parameters: { explain: false } }, secret)).toMatchObject({ status: 200 });
  await putInForce(models.pictures, ModelDefinition.parse({ ...pictureDefinition(), serving: { explanations: 'all', decimals: 2 } }));
  await until(async () => expect((await post(models.pictures, body, secret)).status).toBe(200), 20_000);
  const { outputs, parameters } = (await post(models.pictures, body, secret)).body as Explained;
  for (const value of [...(outputs.find(({ name }) => name === 'explanation')?.data ?? []), ...parameters.explanation.outputs, ...parameters.explanation.gaps]) expect(value).toBe(Number(Number(value).toFixed(2)));
  const paying = await apiKeys.create({ name: `key-${randomUUID().slice(0, 8)}`, environment: models.environment, models: [models.pictures], scopes: ['predict'], ratePerSecond: null, daily: 66, expiresAt: null }, { by: 'ada', id: randomUUID() });
  const asks = async (explain: unknown) => (await post(models.pictures, { parameters: { explain }, inputs: [imageInput(pixels)] }, paying.secret)).status;
  await until(async () => expect(await asks(false)).toBe(200), 20_000);
  expect(await asks({ steps: 64 })).toBe(200);
  expect(await post(models.pictures, { inputs: [imageInput(pixels)] }, paying.secret)).toMatchObject({ status: 429, body: { error: expect.stringContaining('may ask for 66 predictions a day (UTC) and has 0 left') as string } });
  await putInForce(models.pictures, ModelDefinition.parse({ ...pictureDefinition(), serving: { guardrails: [{ kind: 'confidence', name: 'unsure', below: 1, on: { fallBack: { answer: 'car' } } }] } }));
  await until(async () => expect(await post(models.pictures, body)).toMatchObject({ status: 422, body: { error: expect.stringContaining('whose own answer is not explained') as string } }), 20_000);
  await putInForce(models.pictures, ModelDefinition.parse({ ...pictureDefinition(), serving: { explanations: 'none' } }));
  await until(async () => expect(await post(models.pictures, body)).toMatchObject({ status: 403, body: { error: expect.stringContaining('not explained to callers') as string } }), 20_000);
});

test('the log keeps of an explanation what its policy lets it: no redacted column, no map that is too large', async () => {
  await putInForce(models.table, ModelDefinition.parse({ ...tableDefinition(COLUMNS), predictionLog: { inputs: { redact: ['city'] } } }));
  await putInForce(models.pictures, ModelDefinition.parse({ ...pictureDefinition(), predictionLog: { inputs: { maximumBytes: 3_500 } } }));
  const ids = { table: '', pictures: '' };
  await until(async () => {
    ids.table = (await explained(models.table, { inputs: inputs() })).parameters.prediction_ids[0] ?? '';
    expect(Object.keys((await logged(ids.table))?.attributions ?? {})).toEqual(['age', 'alone', 'booked']);
  }, 30_000);
  await until(async () => {
    ids.pictures = (await explained(models.pictures, { inputs: [imageInput(pixels)] })).parameters.prediction_ids[0] ?? '';
    expect(await logged(ids.pictures)).toMatchObject({ attributions: null, summary: { shape: [8, 8] } });
  }, 30_000);
  const kept = await logged(ids.pictures);
  expect(Math.abs(sum(kept?.summary?.sums ?? []) - ((kept?.output ?? NaN) - (kept?.baselineOutput ?? NaN)))).toBeCloseTo(kept?.gap ?? NaN, 5);

  await putInForce(models.table, ModelDefinition.parse({ ...tableDefinition(COLUMNS), predictionLog: { outputs: { redact: ['class', 'probabilities'] } } }));
  await until(async () => {
    const { parameters } = await explained(models.table, { inputs: inputs() });
    expect(await logged(parameters.prediction_ids[0] ?? '')).toMatchObject({ method: 'integrated-gradients', target: null, output: null, gap: null, attributions: null });
  }, 30_000);
});
