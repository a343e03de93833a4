import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModelDefinition } from '../../definition/model.js';
import { pictureDefinition, tableDefinition } from '../runtime/support/definitions.js';
import { commit, digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';
import { ask, createFixture, imageInput, infer, type Fixture, type InferAnswer, type Place, type Trained } from './support.js';
import { COLUMNS, passenger, priceDefinition, trainNumber, trainTable } from './tables.js';

let fixture: Fixture;
let numbers: Trained;
let classes: Trained;
beforeAll(async () => {
  fixture = await createFixture();
  [numbers, classes] = [await trainNumber(fixture), await trainTable(fixture)];
});
afterAll(() => fixture?.close());

const sizes = (values: readonly unknown[]) => ({ inputs: [{ name: 'size', shape: [values.length], datatype: 'FP64', data: values }] });
const passengers = (rows: readonly Record<string, unknown>[]) => ({
  inputs: COLUMNS.map((column) => {
    const { name, type } = typeof column === 'string' ? { name: column, type: 'number' as const } : column;
    return { name, shape: [rows.length], datatype: { number: 'FP64', text: 'BYTES', boolean: 'BOOL', time: 'BYTES' }[type], data: rows.map((row) => row[name] ?? null) };
  }),
});
const valuesOf = ({ outputs }: InferAnswer) => outputs.find(({ name }) => name === 'value')?.data ?? [];

/** The model with a definition in force that says this of serving. */
async function putInForce(model: string, guardrails: unknown, definition: ModelDefinition, more: object = {}): Promise<void> {
  const { models } = fixture.database.stores;
  const at = commit(`${model} ${JSON.stringify([guardrails, more])}`);
  const parsed = ModelDefinition.parse({ ...definition, serving: { guardrails }, ...more });
  await models.saveDefinition({ model, repository: 'cars', commit: at, path: 'cars.model.ts', trainingDigest: digest('training'), policyDigest: digest(at), definition: parsed, bundle: ref('bundle'), networkBundle: null });
  expect(await models.setCurrent(model, at, { instead: (await models.get(model))?.currentCommit ?? null })).toBe(true);
}

async function placeWith(trained: Trained, guardrails: unknown, definition: ModelDefinition, more: object = {}): Promise<Place> {
  const place = await fixture.place();
  await fixture.route(place, await fixture.addVersion(place.model, { trained }));
  await putInForce(place.model, guardrails, definition, more);
  return place;
}

/** What the network, without guardrails, says of sizes 50 and 100; and a limit between. */
async function limitBetween(): Promise<{ low: number; high: number; between: number; fine: number; large: number }> {
  const { model, environment } = await placeWith(numbers, [], priceDefinition);
  const server = await fixture.serve(environment);
  const said = valuesOf(await infer(server.url, fixture.token, model, sizes([50, 100]))).map(Number);
  await server.close();
  const [low = 0, high = 0] = [...said].sort((a, b) => a - b);
  expect(high).toBeGreaterThan(low);
  const [fine, large] = said[0] === low ? [50, 100] as const : [100, 50] as const;
  return { low, high, between: (low + high) / 2, fine, large };
}

const loggedBy = async (model: string, request: string, rows: number) => {
  const { predictions } = fixture.database.stores;
  await until(async () => expect(await predictions.findByRequest(model, request)).toHaveLength(rows));
  return predictions.findByRequest(model, request);
};

describe('an answer outside its limits', () => {
  let limits: Awaited<ReturnType<typeof limitBetween>>;
  beforeAll(async () => { limits = await limitBetween(); });
  const above = (on: unknown) => [{ kind: 'output', name: 'sane', maximum: limits.between, on }];
  const metricsOf = async (url: string, model: string) => (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => line.startsWith('perennial_guardrails_total') && line.includes(model));

  test('is refused with the guardrail, the row and the limit, by every protocol; a stream goes on with the next line', async () => {
    const { model, environment } = await placeWith(numbers, above('reject'), priceDefinition);
    const server = await fixture.serve(environment);
    const { fine, large } = limits;
    const refused = await ask(server.url, fixture.token, `/v2/models/${model}/infer`, { id: 'refused', ...sizes([fine, large]) });
    const error = `guardrail/sane: row 1: the model's value is not at most ${limits.between}. Ask for the other rows without it.`;
    const guardrails = [{ row: 1, guardrail: 'sane', kind: 'output', maximum: limits.between, action: 'reject' }];
    expect([refused.status, refused.body]).toEqual([422, { error, guardrails }]);
    expect(await ask(server.url, fixture.token, `/v1/models/${model}:predict`, { instances: [{ size: fine }, { size: large }] })).toMatchObject({ status: 422, body: { error, guardrails } });
    const lines = [fine, large, fine].map((size) => `${JSON.stringify({ row: { size } })}\n`).join('');
    const response = await fetch(`${server.url}/v2/models/${model}/stream`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-ndjson' }, body: lines });
    expect((await response.text()).trim().split('\n').map((line) => JSON.parse(line) as object)).toMatchObject([{ model_name: model }, { line: 2, status: 422, guardrails: [{ row: 0, guardrail: 'sane' }] }, { model_name: model }]);

    expect(await metricsOf(server.url, model)).toEqual([`perennial_guardrails_total{model="${model}",guardrail="sane",action="reject"} 3`]);
    const { refusals, predictions } = fixture.database.stores;
    await until(async () => expect(await refusals.findByRequest(model, 'refused')).toMatchObject([{ status: 422, reason: error, version: 1, guardrails: [{ ...guardrails[0], value: limits.high }] }]));
    expect(await predictions.findByRequest(model, 'refused')).toEqual([]);
    await server.close();
  });

  test('is replaced by a fixed one, with a flag in the answer; the log keeps what the model said, and by that the version is judged', async () => {
    const { model, environment } = await placeWith(numbers, above({ fallBack: { answer: 7 } }), priceDefinition);
    const { stores } = fixture.database;
    const server = await fixture.serve(environment);
    const answer = await infer(server.url, fixture.token, model, { id: 'replaced', ...sizes([limits.fine, limits.large, limits.fine]) });
    expect(valuesOf(answer)).toEqual([limits.low, 7, limits.low]);
    expect(answer.parameters.guardrails).toEqual([{ row: 1, guardrail: 'sane', kind: 'output', maximum: limits.between, action: 'answer' }]);

    const rows = await loggedBy(model, 'replaced', 3);
    const trigger = { guardrail: 'sane', kind: 'output', value: limits.high, maximum: limits.between, action: 'answer' };
    expect(rows.map(({ outputs, guarded }) => [outputs, guarded])).toEqual([
      [{ value: limits.low }, null], [{ value: 7 }, { triggers: [trigger], instead: { by: 'answer', own: { value: limits.high } } }], [{ value: limits.low }, null],
    ]);
    await stores.labels.add(rows.map(({ id }) => ({ predictionId: id, requestId: null, model, label: '7', by: 'test', at: new Date().toISOString() })));
    const outcomes = await stores.predictions.newestLabelled({ model, environment, version: 1, limit: 10 });
    expect(outcomes.map(({ value, replaced: isReplaced }) => [value, isReplaced]).sort()).toEqual([[limits.low, false], [limits.low, false], [limits.high, true]].sort());
    expect(await metricsOf(server.url, model)).toEqual([`perennial_guardrails_total{model="${model}",guardrail="sane",action="answer"} 1`]);
    await server.close();
  });

  test('leaves no trace of itself in a log that may not hold it', async () => {
    const { model, environment } = await placeWith(numbers, above({ fallBack: { answer: 7 } }), priceDefinition, { predictionLog: { outputs: { redact: ['value'] } } });
    const { stores } = fixture.database;
    const server = await fixture.serve(environment);
    expect(valuesOf(await infer(server.url, fixture.token, model, { id: 'redacted', ...sizes([limits.large]) }))).toEqual([7]);
    const [row] = await loggedBy(model, 'redacted', 1);
    expect([row?.outputs, row?.guarded]).toEqual([null, { triggers: [{ guardrail: 'sane', kind: 'output', maximum: limits.between, action: 'answer' }], instead: { by: 'answer' } }]);
    await stores.labels.add([{ predictionId: row?.id ?? '', requestId: null, model, label: '7', by: 'test', at: new Date().toISOString() }]);
    expect(await stores.predictions.newestLabelled({ model, environment, version: 1, limit: 10 })).toEqual([]);
    expect(await stores.predictions.countUnjudged({ model, environment, version: 1 })).toBe(1);
    await server.close();
  });

  test('is given with a flag, and a commit of another policy is in force within seconds, also after a start while PostgreSQL is away', async () => {
    const { model, environment } = await placeWith(numbers, above('flag'), priceDefinition);
    const scratch = `${fixture.folder}/${model}`;
    const server = await fixture.serve(environment, { scratch });
    const flagged = await infer(server.url, fixture.token, model, sizes([50, 100]));
    expect(valuesOf(flagged).map(Number).sort((a, b) => a - b)).toEqual([limits.low, limits.high]);
    expect(flagged.parameters.guardrails).toMatchObject([{ guardrail: 'sane', action: 'flag' }]);

    await putInForce(model, above({ fallBack: { answer: 9 } }), priceDefinition);
    const begun = Date.now();
    const isReplaced = async (url: string) => expect(valuesOf(await infer(url, fixture.token, model, sizes([50, 100])))).toContain(9);
    await until(() => isReplaced(server.url), 5_000);
    expect(Date.now() - begun).toBeLessThan(3_000); // notified, not polled
    await server.close();
    fixture.proxy.cut();
    const again = await fixture.serve(environment, { scratch });
    fixture.proxy.restore();
    await isReplaced(again.url);
    await again.close();
  });
});

describe('a value that training never saw', () => {
  const range = (on: unknown, more: object = {}) => [{ kind: 'input-range', name: 'seen', on, ...more }];

  test('is refused before it is computed, and one within the tolerance is not; values of training are never outside', async () => {
    const { model, environment } = await placeWith(numbers, range('reject', { tolerance: 0.1 }), priceDefinition);
    const server = await fixture.serve(environment);
    await infer(server.url, fixture.token, model, sizes(Array.from({ length: 59 }, (_, index) => 50 + index)));
    await infer(server.url, fixture.token, model, sizes([45, 113]));
    const { status, body } = await ask(server.url, fixture.token, `/v2/models/${model}/infer`, { id: 'outside', ...sizes([60, 43, 200]) });
    const limits = { column: 'size', minimum: 44.2, maximum: 113.8 };
    expect(status).toBe(422);
    expect(body).toMatchObject({ error: expect.stringMatching(/^guardrail\/seen: row 1: size is not between 44\.2 and 113\.8, as it was in training\. 2 of the 3 rows are refused/) as string, guardrails: [{ row: 1, kind: 'input-range', ...limits }, { row: 2, ...limits }] });
    await until(async () => expect(await fixture.database.stores.refusals.findByRequest(model, 'outside')).toMatchObject([{ guardrails: [{ value: 43 }, { value: 200 }] }]));
    await server.close();
  });

  test('is flagged in a table and in a picture, and a redacted one is not in the log', async () => {
    const { model, environment } = await placeWith(classes, range('flag', { columns: ['age'] }), tableDefinition(COLUMNS), { predictionLog: { inputs: { redact: ['age'] } } });
    const dark = { model: (await fixture.place()).model, environment };
    await fixture.route(dark, await fixture.addVersion(dark.model));
    await putInForce(dark.model, range('flag'), pictureDefinition());
    const server = await fixture.serve(environment);
    const flagged = await infer(server.url, fixture.token, model, { id: 'old', ...passengers([passenger, { ...passenger, age: 130 }, { ...passenger, age: null }]) });
    expect(flagged.parameters.guardrails).toMatchObject([{ row: 1, guardrail: 'seen', column: 'age', action: 'flag' }]);
    expect((await loggedBy(model, 'old', 3))[1]?.guarded).toEqual({ triggers: [{ guardrail: 'seen', kind: 'input-range', column: 'age', minimum: 21, maximum: 58, action: 'flag' }] });
    const black = await infer(server.url, fixture.token, dark.model, { inputs: [imageInput(new Array<number>(32 * 32 * 3).fill(0))] });
    expect(black.parameters.guardrails).toMatchObject([{ row: 0, column: 'brightness', action: 'flag' }]);
    await server.close();
  });

  test('is answered by the version before while that is warm, by a column of the row where it is not, and the log says by what', async () => {
    const on = [{ fallBack: 'previous-version' }, { fallBack: { column: 'size' } }];
    const { model, environment } = await placeWith(numbers, range(on), priceDefinition);
    const server = await fixture.serve(environment);
    const alone = await infer(server.url, fixture.token, model, sizes([60, 500]));
    expect(alone.parameters.guardrails).toMatchObject([{ row: 1, action: 'column', skipped: ['previous-version'] }]);
    expect(valuesOf(alone)[1]).toBe(500);

    await fixture.route({ model, environment }, await fixture.addVersion(model, { trained: numbers }));
    await until(async () => expect((await infer(server.url, fixture.token, model, sizes([60]))).parameters.version).toBe(2));
    const answer = await infer(server.url, fixture.token, model, { id: 'before', ...sizes([60, 500, 61]) });
    expect(answer.parameters.guardrails).toMatchObject([{ row: 1, action: 'previous-version' }]);
    expect(valuesOf(answer)[1]).not.toBe(500);
    const rows = await loggedBy(model, 'before', 3);
    expect(rows.map(({ version, guarded }) => [version, guarded?.instead?.version])).toEqual([[2, undefined], [2, 1], [2, undefined]]);
    expect(rows[1]?.guarded?.instead).toEqual({ by: 'previous-version', version: 1, own: { value: valuesOf(answer)[1] } }); // both versions are the same network
    await server.close();
  });
});

test('a row that is unlike those of training as a whole is refused, with how far it may be; those of training are not', async () => {
  const { model, environment } = await placeWith(numbers, [{ kind: 'outlier', name: 'unlike', share: 0, on: 'reject' }], priceDefinition);
  const server = await fixture.serve(environment);
  await infer(server.url, fixture.token, model, sizes(Array.from({ length: 59 }, (_, index) => 50 + index)));
  const { status, body } = await ask(server.url, fixture.token, `/v2/models/${model}/infer`, { id: 'unlike', ...sizes([60, 500]) });
  expect([status, body]).toMatchObject([422, { error: expect.stringMatching(/^guardrail\/unlike: row 1: the row lies farther from those of training than 1\.\d+, taken as a whole/) as string, guardrails: [{ row: 1, kind: 'outlier' }] }]);
  await until(async () => expect((await fixture.database.stores.refusals.findByRequest(model, 'unlike'))[0]?.guardrails?.[0]?.value).toBeGreaterThan(20));
  await server.close();
});

describe('an answer of a classifier', () => {
  test('that is not sure enough is the fixed class, with all of the probability; one that is sure is as it was', async () => {
    const sure = [{ kind: 'confidence', name: 'unsure', below: 0, on: 'reject' }];
    const { model, environment } = await placeWith(classes, sure, tableDefinition(COLUMNS));
    const server = await fixture.serve(environment);
    const own = await infer(server.url, fixture.token, model, passengers([passenger]));
    expect(own.parameters.guardrails).toBeUndefined();
    const given = own.outputs.find(({ name }) => name === 'class')?.data[0];
    const other = given === 'yes' ? 'no' : 'yes';
    for (const [measure, below] of [['probability', 1], ['margin', 0.99], ['entropy', 0.98]] as const) {
      await putInForce(model, [{ kind: 'confidence', name: 'unsure', measure, below, on: { fallBack: { answer: other } } }, { kind: 'confidence', name: 'told', below: 1, on: 'flag' }], tableDefinition(COLUMNS), { purpose: measure });
      await until(async () => {
        const answer = await infer(server.url, fixture.token, model, { id: measure, ...passengers([passenger]) });
        expect(answer.parameters.guardrails).toEqual([{ row: 0, guardrail: 'unsure', kind: 'confidence', minimum: below, action: 'answer' }, { row: 0, guardrail: 'told', kind: 'confidence', minimum: 1, action: 'flag' }]);
        expect(answer.outputs.map(({ data }) => data)).toEqual([other === 'no' ? [1, 0] : [0, 1], [other]]);
      });
    }
    const probabilities = own.outputs.find(({ name }) => name === 'probabilities')?.data.map(Number) ?? [];
    await until(async () => {
      const kept = (await fixture.database.stores.predictions.findByRequest(model, 'margin')).at(-1); // those before met the policy before
      expect(kept?.guarded).toMatchObject({ instead: { by: 'answer', own: { class: given, probabilities } } });
      expect(kept?.guarded?.triggers[0]?.value).toBeCloseTo(Math.abs((probabilities[0] ?? 0) - (probabilities[1] ?? 0)), 6);
    });
    await server.close();
  });
});

test.each([
  ['confidence of a number', priceDefinition, { kind: 'confidence', below: 0.5, on: 'flag' }, 'no confidence'],
  ['limits of classes', tableDefinition(COLUMNS), { kind: 'output', maximum: 1, on: 'flag' }, 'no limits of the output'],
  ['limits that no value meets', priceDefinition, { kind: 'output', minimum: 2, maximum: 1, on: 'flag' }, 'at least `minimum`'],
  ['a class as the answer of a regression', priceDefinition, { kind: 'output', on: ['flag', { fallBack: { answer: 'yes' } }] }, 'a number'],
  ['a class that is none', tableDefinition(COLUMNS), { kind: 'confidence', below: 0.5, on: { fallBack: { answer: 'maybe' } } }, 'a class of this definition (no, yes)'],
  ['a range of a column without numbers', tableDefinition(COLUMNS), { kind: 'input-range', columns: ['city'], on: 'flag' }, 'one of age'],
  ['outliers of a table without numbers', tableDefinition([{ name: 'city', type: 'text', nullable: false }]), { kind: 'outlier', on: 'flag' }, 'no outlier: the model takes no numbers'],
  ['a column that is no answer', priceDefinition, { kind: 'output', on: { fallBack: { column: 'name' } } }, 'a column of numbers'],
])('%s is refused with the definition', (_name, definition, guardrail, expected) => {
  const parsed = ModelDefinition.safeParse({ ...definition, serving: { guardrails: [{ name: 'guard', ...guardrail }] } });
  expect(JSON.stringify(parsed.error?.issues)).toContain(expected);
});
