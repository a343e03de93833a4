import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActivityDeps } from '../../activities/deps.js';
import { createMonitorActivities } from '../../activities/monitor/index.js';
import { ModelDefinition } from '../../definition/model.js';
import { describeIssues } from '../../runtime/definition/issues.js';
import { pictureDefinition, tableDefinition } from '../runtime/support/definitions.js';
import { commit, digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';
import { ask, createFixture, imageInput, infer, type Fixture, type InferAnswer, type Place, type Trained } from './support.js';
import { COLUMNS, completeDefinition, passenger, priceDefinition, trainComplete, trainNumber, trainTable } from './tables.js';

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

test('a category that no row of training had, and a value that is missing where none was, are met by their own policies; what training had is not, however rare', async () => {
  const on = { fallBack: { rules: [{ name: 'young', when: [{ column: 'age', below: 30 }], answer: 'no' }], otherwise: 'yes' } };
  const { model, environment } = await placeWith(await trainComplete(fixture), [{ kind: 'input-category', name: 'new-city', on: 'flag' }, { kind: 'input-missing', name: 'gone', columns: ['age'], on: [on, 'flag'] }, { kind: 'input-missing', name: 'no-city', columns: ['city'], on: 'reject' }], completeDefinition);
  const server = await fixture.serve(environment);
  const asked = (values: readonly (readonly [string | null, number | null])[]) => ({ inputs: [
    { name: 'city', shape: [values.length], datatype: 'BYTES', data: values.map(([city]) => city) }, { name: 'age', shape: [values.length], datatype: 'FP64', data: values.map(([, age]) => age) },
  ] });
  const answer = await infer(server.url, fixture.token, model, { id: 'unseen', ...asked([['Wien', 30], ['Melk', 31], ['Linz', 32], ['Graz', null], ['Paris', null]]) });
  const [linz, paris] = [2, 4].map((row) => ({ row, guardrail: 'new-city', kind: 'input-category', column: 'city', action: 'flag' }));
  const [graz, both] = [3, 4].map((row) => ({ row, guardrail: 'gone', kind: 'input-missing', column: 'age', action: 'rule', rule: 'otherwise' }));
  expect(answer.parameters.guardrails).toEqual([linz, graz, paris, both]);
  const logged = await loggedBy(model, 'unseen', 5);
  expect(logged.map(({ guarded }) => guarded?.triggers.map(({ value }) => value))).toEqual([undefined, undefined, ['Linz'], [undefined], ['Paris', undefined]]);
  expect(logged[4]?.guarded?.instead).toMatchObject({ by: 'rule', own: { class: expect.any(String) as string } });
  const { status, body } = await ask(server.url, fixture.token, `/v2/models/${model}/infer`, asked([['Wien', 30], [null, 30]]));
  expect([status, body]).toMatchObject([422, { error: 'guardrail/no-city: row 1: city is missing, as it was in no row of training. Ask for the other rows without it.' }]);
  const counted = (await (await fetch(`${server.url}/metrics`)).text()).split('\n').filter((line) => line.startsWith('perennial_guardrails_total') && line.includes(model)).map((line) => line.replace(/.*guardrail=/, ''));
  expect(counted.sort()).toEqual(['"gone",action="rule"} 2', '"new-city",action="flag"} 2', '"no-city",action="reject"} 1']);

  const { stores } = fixture.database;
  const monitor = createMonitorActivities({ stores } as ActivityDeps);
  const report = async () => (await stores.checks.get((await monitor.runCheck({ model, environment })).id))?.report['guardrails'];
  const rows = (guardrail: string, replaced: number, flagged: number, rejected: number) => ({ guardrail, replaced, flagged, rejected });
  await until(async () => expect(await report()).toMatchObject({ predictions: 5, guardrails: [rows('new-city', 0, 2, 0), rows('gone', 2, 0, 0), rows('no-city', 0, 0, 1)] }));
  await infer(server.url, fixture.token, model, { id: 'later', ...asked([['Linz', 32]]) });
  await until(async () => expect(await report()).toMatchObject({ predictions: 6, guardrails: [rows('new-city', 0, 3, 0), rows('gone', 2, 0, 0), rows('no-city', 0, 0, 1)] })); // though no label came
  await server.close();
});

test('rows are held to what the definition expects of each row of a snapshot: one that blocks refuses, one that warns is a flag; what a share of the rows may miss, and other sources say, is not looked at', async () => {
  const definition = tableDefinition(COLUMNS);
  const expectations = [
    { kind: 'between', column: 'age', min: 0, max: 120 }, { kind: 'matches', column: 'city', pattern: '^[A-Z]' }, { kind: 'between', column: 'booked', min: '2000-01-01', severity: 'warn' },
    { kind: 'in-set', column: 'city', values: ['Wien', 'Graz', 'wien'], severity: 'warn' }, { kind: 'between', column: 'age', max: 1, mostly: 0.9 }, { kind: 'exists-in', column: 'city', location: 'lists', path: 'cities.parquet', other: 'name' }, { kind: 'row-count', min: 1 },
  ];
  const guardrails = [{ kind: 'expectation', name: 'as-expected', severity: 'block', on: 'reject' }, { kind: 'expectation', name: 'unusual', severity: 'warn', on: 'flag' }];
  const inForce = (expected: readonly object[]) => ({ data: { ...definition.data, expectations: expected }, predictionLog: { inputs: { redact: ['booked'] } } });
  const { model, environment } = await placeWith(classes, guardrails, definition, inForce(expectations));
  const server = await fixture.serve(environment);
  const [known, other, early] = [{ ...passenger, city: 'Wien' }, { ...passenger, city: 'Paris' }, { ...passenger, city: 'Graz', age: null, booked: '1999-12-31T23:59:59.999Z' }];
  const answer = await infer(server.url, fixture.token, model, { id: 'expected', ...passengers([known, other, early]) });
  const told = [{ row: 1, column: 'city', expected: 'city is one of Wien, Graz, wien' }, { row: 2, column: 'booked', expected: 'booked is at least 2000-01-01' }].map((one) => ({ guardrail: 'unusual', kind: 'expectation', action: 'flag', ...one }));
  expect(answer.parameters.guardrails).toEqual(told);
  const logged = await loggedBy(model, 'expected', 3);
  expect(logged.map(({ guarded }) => guarded?.triggers)).toEqual([undefined, [{ ...told[0], row: undefined, value: 'Paris' }], [{ ...told[1], row: undefined }]]);

  const refused = await ask(server.url, fixture.token, `/v2/models/${model}/infer`, { id: 'not-expected', ...passengers([known, { ...known, age: 121 }, { ...known, city: 'wien' }]) });
  expect([refused.status, refused.body]).toEqual([422, {
    error: 'guardrail/as-expected: row 1: the row is not as it has to be: age is between 0 and 120. 2 of the 3 rows are refused; ask for the others without them.',
    guardrails: [{ row: 1, column: 'age', expected: 'age is between 0 and 120' }, { row: 2, column: 'city', expected: 'city matches /^[A-Z]/' }].map((one) => ({ guardrail: 'as-expected', kind: 'expectation', action: 'reject', ...one })),
  }]);

  await putInForce(model, guardrails, definition, inForce([{ kind: 'between', column: 'age', max: 130 }, ...expectations.slice(2)]));
  await until(async () => expect((await ask(server.url, fixture.token, `/v2/models/${model}/infer`, passengers([{ ...known, age: 121 }, { ...known, city: 'wien' }]))).status).toBe(200), 5_000);
  await server.close();
});

test('a row is answered by the first rule that it meets, else by what comes next; callers and the log are told which one', async () => {
  const rules = [
    { name: 'vienna', when: [{ column: 'city', in: ['Wien', 'Linz'] }, { column: 'age', between: { min: 40, max: 50 } }], answer: 'no' },
    { name: 'ageless', when: [{ column: 'age', missing: true }], answer: 'yes' }, { name: 'company', when: [{ column: 'alone', is: false }, { column: 'age', atLeast: 50 }], answer: 'yes' },
  ];
  const { model, environment } = await placeWith(classes, [{ kind: 'confidence', name: 'unsure', below: 1, on: [{ fallBack: { rules } }, 'flag'] }], tableDefinition(COLUMNS));
  const server = await fixture.serve(environment);
  const asked = [passenger, { ...passenger, city: 'Graz' }, { ...passenger, age: null }, { ...passenger, city: 'Graz', age: 50, alone: false }, { ...passenger, city: 'Linz', age: 50, alone: false }];
  const answer = await infer(server.url, fixture.token, model, { id: 'rules', ...passengers(asked) });
  const [given, own] = ['class', 'probabilities'].map((output) => answer.outputs.find(({ name }) => name === output)?.data ?? []);
  expect(given?.filter((_, row) => row !== 1)).toEqual(['no', 'yes', 'yes', 'no']);
  expect(own?.slice(0, 2)).toEqual([1, 0]);
  const told = answer.parameters.guardrails ?? [];
  expect(told.map(({ action, rule, skipped }) => [action, rule, skipped])).toEqual([['rule', 'vienna', undefined], ['flag', undefined, ['rule']], ['rule', 'ageless', undefined], ['rule', 'company', undefined], ['rule', 'vienna', undefined]]);
  expect((await loggedBy(model, 'rules', 5)).map(({ guarded }) => guarded?.triggers[0]?.rule)).toEqual(['vienna', undefined, 'ageless', 'company', 'vienna']);
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(`perennial_guardrails_total{model="${model}",guardrail="unsure",action="no-rule"} 1`);
  await server.close();
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
  ['categories that are none', tableDefinition(COLUMNS), { kind: 'input-category', columns: ['age'], on: 'flag' }, 'one of city'],
  ['categories of a table without', priceDefinition, { kind: 'input-category', on: 'flag' }, 'no input-category: the model takes no categories'],
  ['expectations where there are none', tableDefinition(COLUMNS), { kind: 'expectation', on: 'flag' }, 'no expectation: nothing in data.expectations says of each row, by its inputs alone, what it has to be'],
  ['expectations of pictures', pictureDefinition(), { kind: 'expectation', on: 'flag' }, 'no expectation: pictures have none'],
  ['missing values of columns that always have one', tableDefinition(COLUMNS), { kind: 'input-missing', columns: ['city'], on: 'flag' }, 'one of age'],
])('%s is refused with the definition', (_name, definition, guardrail, expected) => {
  const parsed = ModelDefinition.safeParse({ ...definition, serving: { guardrails: [{ name: 'guard', ...guardrail }] } });
  expect(JSON.stringify(parsed.error?.issues)).toContain(expected);
});

const ANSWER = { answer: 'yes' };
test.each([
  ['a column that is not there', [{ column: 'income', below: 1 }], ANSWER, '.rules[0].when[0].column: expected one of age, city, alone, booked, found "income"'],
  ['a limit of texts', [{ column: 'city', below: 1 }], ANSWER, '.rules[0].when[0].column: expected a column of numbers; city holds text, found "city"'],
  ['a text of numbers', [{ column: 'age', is: 'old' }], ANSWER, '.rules[0].when[0].is: expected a number, as age holds, found "old"'],
  ['a number among texts', [{ column: 'city', in: ['Wien', 7] }], ANSWER, '.rules[0].when[0].in[1]: expected a text, as city holds, found 7'],
  ['a text of times', [{ column: 'booked', is: 'today' }], ANSWER, '.rules[0].when[0].is: expected `missing`, which alone can be asked of a time; booked is one, found "today"'],
  ['what is never missing', [{ column: 'city', missing: true }], ANSWER, '.rules[0].when[0].missing: expected another comparison: city is not nullable, found true'],
  ['limits that nothing meets', [{ column: 'age', between: { min: 2, max: 1 } }], ANSWER, '.rules[0].when[0].between.max: expected at least `min`, found 1'],
  ['a column that the log redacts', [{ column: 'alone', is: true }], ANSWER, '.rules[0].when[0].column: expected a column that the prediction log does not redact, since it holds which rule answered, found "alone"'],
  ['a class that is none', [{ column: 'age', below: 1 }], { answer: 'maybe' }, '.rules[0].answer: expected a class of this definition (no, yes), found "maybe"'],
  ['no comparison', [{ column: 'age' }], ANSWER, '.rules[0].when[0]: expected a column and one of below, atLeast, above, atMost, between, is, in, missing, found {"column":"age"}'],
  ['two comparisons', [{ column: 'age', below: 1, above: 0 }], ANSWER, '.rules[0].when[0]: expected a column and one of below'],
  ['a name that is taken', [{ column: 'age', below: 1 }], { name: 'otherwise', ...ANSWER }, '.rules[0].name: expected another name than otherwise, which is taken'],
])('a rule of %s is told with its path', (_name, when, rest, expected) => {
  const definition = { ...tableDefinition(COLUMNS), predictionLog: { inputs: { redact: ['alone'] } }, serving: { guardrails: [{ kind: 'confidence', name: 'unsure', below: 1, on: ['flag', { fallBack: { rules: [{ name: 'rule', when, ...rest }] } }] }] } };
  const parsed = ModelDefinition.safeParse(definition);
  expect(describeIssues(parsed.error?.issues ?? [], definition, ModelDefinition).join()).toContain(`serving.guardrails[0].on[1].fallBack${expected}`);
});
