import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { createRunners } from '../../activities/score/runners.js';
import { planScore } from '../../activities/score/plan.js';
import { scorePartition } from '../../activities/score/partition.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import { Preprocessing, Signature } from '../../contract/package.js';
import { typedColumns } from '../../definition/columns.js';
import type { Column } from '../../definition/columns.js';
import { decodeRow } from '../../domain/cells.js';
import type { CellRow } from '../../domain/cells.js';
import { DATATYPES } from '../../domain/signature-cells.js';
import { loadNativeParts } from '../../infra/native.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import { evaluationRows } from '../../runtime/data/evaluation-rows.js';
import { packSplit } from '../../runtime/data/pack.js';
import { createPreprocessor, isPixels } from '../../runtime/preprocess.js';
import type { RawRows } from '../../runtime/preprocess.js';
import { createServer } from '../../serving/server.js';
import type { PredictionServer } from '../../serving/server.js';
import { parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';
import { createDatabase } from '../../stores/database.js';
import type { Database } from '../../stores/database.js';
import { tableDefinition } from '../runtime/support/definitions.js';
import { writeSnapshot } from '../runtime/support/snapshot.js';
import { classesOf } from '../runtime/support/evaluated.js';
import type { Row } from '../runtime/support/snapshot.js';
import { ask, infer } from '../serving/support.js';
import { until } from '../support/until.js';
import { createDataStack, query } from './support/data.js';
import type { DataStack } from './support/data.js';
import { registerTrained } from './support/scored-model.js';
import type { Registered } from './support/scored-model.js';

const COLUMNS: Column[] = [
  { name: 'age', type: 'number', nullable: true }, 'fare', 'same', 'class', { name: 'city', type: 'text', nullable: true },
  { name: 'note', type: 'text', nullable: false }, { name: 'alone', type: 'boolean', nullable: false }, { name: 'booked', type: 'time', nullable: true },
];
const columns = typedColumns(COLUMNS);
const golden = JSON.parse(readFileSync(new URL('../runtime/golden/features.json', import.meta.url), 'utf8')) as { train: CellRow[]; test: CellRow[]; cases: { feature: { kind: string; column?: string } }[] };
// An empty field of a CSV file is a missing value.
const written = (row: CellRow): CellRow => row.map((cell) => (cell === '' ? 'nothing' : cell));
const testRows = golden.test.map(written);
const rows: Row[] = [...golden.train.map(written).map((values, index): Row => ({ key: `a${100 + index}`, split: 'train', label: index % 3 ? 'yes' : 'no', values })), ...testRows.map((values, index): Row => ({ key: `b${100 + index}`, split: 'test', label: index % 2 ? 'yes' : 'no', values }))];
const features = [...golden.cases.map(({ feature }) => feature).filter(({ column }) => column !== 'class'), { kind: 'category', column: 'class', unknown: 'refuse' }];

const { tfjsNode } = loadNativeParts();
const environment = `env-${randomUUID().slice(0, 8)}`;
let stack: DataStack;
let database: Database;
let server: PredictionServer;
let token: string;
let model: Registered;
let before: Registered;
let runners: ReturnType<typeof createRunners>;

beforeAll(async () => {
  stack = await createDataStack();
  Object.assign(stack.deps, { tfjsNode });
  model = await registerTrained(stack, tableDefinition(COLUMNS, { features, training: { epochs: 2 } }), rows);
  const numbers = rows.map((row): Row => ({ ...row, values: row.values?.slice(1, 4) ?? [] }));
  before = await registerTrained(stack, tableDefinition(['fare', 'same', 'class'], { training: { epochs: 2 } }), numbers, makeOld);
  await stack.stores.environments.ensure(environment);
  for (const { model: name, version } of [model, before]) {
    const { ok } = await stack.stores.routes.write({ environment, model: name, expected: 0, intent: randomUUID(), arms: [{ version, role: 'live', share: 1 }], keepWarmMs: 1000, by: 'test', reason: 'test' });
    expect(ok).toBe(true);
  }
  await stack.stores.principals.create({ id: 'client', kind: 'machine', displayName: 'Client', email: null, publicKey: null });
  ({ token } = await stack.stores.principals.createToken({ principal: 'client', scopes: ['predict'], name: 'test' }));
  database = createDatabase(stack.databaseUrl, { max: 4, applicationName: 'test server' });
  server = await createServer({ environment, replica: 'one', database, stores: stack.stores, artifacts: stack.artifacts, tfjsNode, softwareVersion: '0.0.0', pseudonymKey: stack.deps.pseudonymKey, scratch: join(stack.folder, 'server'), segmentDir: join(stack.folder, 'segments'), limits: { runnerThreads: 1 }, onProblem: () => undefined });
  await server.settled;
  runners = createRunners(tfjsNode);
}, 180_000);
afterAll(async () => {
  await server?.close();
  await database?.close();
  await stack?.close();
});

/** What training wrote when a table was numbers of 32 bits only. */
function makeOld(directory: string): void {
  const change = (name: string, to: (value: unknown) => unknown) => { writeFileSync(join(directory, name), JSON.stringify(to(JSON.parse(readFileSync(join(directory, name), 'utf8'))))); };
  change('preprocessing.json', (value) => {
    const fitted = Preprocessing.parse(value);
    if (fitted.kind !== 'columns') throw new Error('a table is expected');
    return { kind: 'table', columns: fitted.features.map((feature) => (feature.kind === 'number' ? { name: feature.column, offset: feature.offset, scale: feature.scale } : null)) };
  });
  change('signature.json', (value) => ({ ...Signature.parse(value), inputs: Signature.parse(value).inputs.map(({ name }) => ({ name, datatype: 'FP32', shape: [1] })) }));
}

/** A request as an application writes it: raw columns, by name, in an order of its own. */
const request = (values: readonly CellRow[], typed = columns) => ({
  inputs: typed.map(({ name, type }, index) => ({ name, datatype: DATATYPES[type], shape: [values.length], data: values.map((row) => row[index] ?? null) })).reverse(),
});

interface Packaged { preprocessing: Preprocessing; signature: Signature }
const packaged = ({ directory }: Registered): Packaged => ({
  preprocessing: Preprocessing.parse(JSON.parse(readFileSync(join(directory, 'preprocessing.json'), 'utf8'))), signature: Signature.parse(JSON.parse(readFileSync(join(directory, 'signature.json'), 'utf8'))),
});
function tensor(preprocessing: Preprocessing, raw: RawRows, count: number): Buffer {
  const { width, apply } = createPreprocessor(preprocessing);
  const out = new Float32Array(count * width);
  apply(raw, 0, count, out, 0);
  return Buffer.from(out.buffer);
}

/** Rows of a file, scored as a job: the probabilities' bits. */
async function scored({ model: name, version }: Registered, input: string): Promise<number[]> {
  const job = `job-${randomUUID()}`;
  await planScore(stack.deps, { job, model: name, version, input, by: 'ada' }, new AbortController().signal);
  await scorePartition(stack.deps, runners, { job, partition: 0 }, new AbortController().signal, () => undefined);
  const [done] = (await stack.stores.scores.get(job))?.completed ?? [];
  if (!done) throw new Error('nothing was scored');
  const file = join(stack.folder, `${job}.parquet`);
  await stack.artifacts.getToFile(done.output, file);
  return (await query(`select probabilities from read_parquet('${file}') order by row`)).flatMap(({ probabilities }) => (probabilities as number[]).map(Math.fround));
}

/** The rows as a file of each format that is scored. */
async function files(values: readonly CellRow[], typed = columns): Promise<string[]> {
  const path = (extension: string) => join(stack.folder, `${randomUUID()}.${extension}`);
  const [csv, lines, parquet] = [path('csv'), path('jsonl'), path('parquet')];
  const field = (cell: CellRow[number]) => (cell === null ? '' : typeof cell === 'string' ? `"${cell.replaceAll('"', '""')}"` : String(cell));
  writeFileSync(csv, [typed.map(({ name }) => name), ...values.map((row) => row.map(field))].map((line) => line.join(',')).join('\n'));
  writeFileSync(lines, values.map((row) => JSON.stringify(Object.fromEntries(typed.map(({ name }, index) => [name, row[index]])))).join('\n'));
  const types = typed.map(({ name, type }) => `${name}: '${{ number: 'DOUBLE', text: 'VARCHAR', boolean: 'BOOLEAN', time: 'TIMESTAMPTZ' }[type]}'`).join(', ');
  await query(`copy (select * from read_json('${lines}', format = 'newline_delimited', columns = {${types}})) to '${parquet}'`);
  return [csv, lines, parquet];
}

describe('the same rows', () => {
  it('are the same network inputs, to the last bit, in training, evaluation, a request, the runner and the prediction log', async () => {
    const { preprocessing, signature } = packaged(model);
    const values = rows.filter(({ split }) => split === 'train').map(({ values: own = [] }) => own);
    const packed = await packSplit({ snapshot: model.snapshot, split: 'train', preprocessor: createPreprocessor(preprocessing), directory: stack.folder, budgetBytes: 1e9 });
    const inTraining = Buffer.from(packed.store.memory?.bytes ?? []);
    expect(inTraining.length).toBe(values.length * createPreprocessor(preprocessing).width * 4);

    const evaluated: Buffer[] = [];
    for await (const { raw, keys } of evaluationRows(model.snapshot, 'train')) evaluated.push(tensor(preprocessing, raw, keys.length));
    expect(Buffer.concat(evaluated).equals(inTraining)).toBe(true);

    const asked = rowsOf(parseInferenceRequest(JSON.parse(JSON.stringify(request(values)))), signature, 100);
    if (asked.datatype !== 'CELLS') throw new Error('rows of a table are expected');
    expect(tensor(preprocessing, asked.input, values.length).equals(inTraining)).toBe(true);
    expect(tensor(preprocessing, JSON.parse(JSON.stringify(asked.input)) as CellRow[], values.length).equals(inTraining)).toBe(true);
    expect(tensor(preprocessing, asked.logged.map((bytes) => decodeRow(columns, bytes) ?? []), values.length).equals(inTraining)).toBe(true);
  });

  it('are the same values once a file of them has become a snapshot', async () => {
    const place = await stack.locate();
    const file = (key: string) => testRows.map((row, index) => JSON.stringify({ id: `${key}${100 + index}`, label: index % 2 ? 'yes' : 'no', ...Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])) })).join('\n');
    for (const split of ['train', 'test']) await place.put(`${split}.jsonl`, file(split));
    const { build } = await stack.define({ kind: 'table', columns: COLUMNS, target: { classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 }, sources: (['train', 'test'] as const).map((split) => ({ kind: 'ndjson', location: place.name, path: `${split}.jsonl`, key: 'id', split })) });
    const { digest } = await build();
    const found = new Map<string, CellRow>();
    for await (const { keys, raw } of evaluationRows(await openSnapshot(stack.deps, digest), 'train')) if (!isPixels(raw)) keys.forEach((key, row) => found.set(key, raw[row] ?? []));
    expect([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)).toEqual(testRows);
  });

  it.each([['of typed columns', () => model, columns, testRows], ['of a package of before columns had types', () => before, columns.slice(1, 4), testRows.map((row) => row.slice(1, 4))]] as const)(
    'get the same probabilities, to the last bit, at evaluation, over HTTP and from files: %s', async (_what, of, typed, values) => {
      const { evaluated, model: name, version } = of();
      const expected = [...classesOf(evaluated).probabilities];
      expect(new Set(expected).size).toBeGreaterThan(values.length);
      const answer = await infer(server.url, token, name, { id: 'parity', ...request(values, typed) });
      expect(answer.outputs[0]?.data.map((value) => Math.fround(Number(value)))).toEqual(expected);
      for (const file of await files(values, typed)) expect(await scored({ ...of(), version }, file)).toEqual(expected);
    });

  it('are kept as they were asked, by name', async () => {
    await until(async () => expect(await stack.stores.predictions.findByRequest(model.model, 'parity')).toHaveLength(testRows.length));
    const kept = await stack.stores.predictions.findByRequest(model.model, 'parity');
    expect(kept.map(({ input, inputShape }) => ({ inputShape, row: decodeRow(columns, input) })).map(({ inputShape, row }) => [inputShape, JSON.stringify(row)]).sort()).toEqual(testRows.map((row) => [[], JSON.stringify(row)]).sort());
  });
});

describe('rows that are judged', () => {
  const evaluate = (snapshot: LocalSnapshot, refused: 'block' | 'predict' = 'block') => evaluateInChild({ modelDirectory: model.directory, snapshot, tfjsNode, threads: 1, refused });
  const judged = (values: readonly CellRow[], of: readonly Column[]) => writeSnapshot(join(stack.folder, randomUUID()), values.map((row, index): Row => ({ key: `b${100 + index}`, split: 'test', label: 'no', values: row })), { classes: ['no', 'yes'], columns: of, shards: 1 });

  it('may have other columns besides, in any order: the live version is compared on what a newer definition reads', async () => {
    const newer = await judged(testRows.map((row) => [...row, 'more'].reverse()), [...COLUMNS, { name: 'added', type: 'text' as const, nullable: false }].reverse());
    expect([...classesOf(await evaluate(newer)).probabilities]).toEqual([...classesOf(model.evaluated).probabilities]);
    await expect(evaluate(await judged(testRows.map((row) => row.slice(1)), COLUMNS.slice(1)))).rejects.toMatchObject({ code: 'data/blocked', message: expect.stringMatching(/takes the column age \(number\), the snapshot has fare \(number\), /) as string });
  });

  it('and are refused by the model block the run, unless it is the live version that is to be replaced', async () => {
    const snapshot = await judged(testRows.map((row, at) => row.map((cell, index) => (at === 3 && index === 3 ? 9 : cell))), COLUMNS);
    await expect(evaluate(snapshot)).rejects.toMatchObject({ code: 'data/blocked', message: expect.stringMatching(/row 'b103', column class: 9 is a category that the model does not know/) as string });
    expect((await evaluate(snapshot, 'predict')).rows).toBe(testRows.length);
  });
});

describe('a request that does not fit is refused with the column and what it takes', () => {
  const [row = []] = testRows;
  const without = (name: string) => ({ inputs: request([row]).inputs.filter((input) => input.name !== name) });
  const having = (name: string, change: object) => ({ inputs: request([row]).inputs.map((input) => (input.name === name ? { ...input, ...change } : input)) });

  test.each([
    ['a missing column', without('note'), /Missing input: note\./],
    ['an unknown column', { inputs: [...request([row]).inputs, { name: 'nme', datatype: 'BYTES', shape: [1], data: ['x'] }] }, /Unknown input: nme\. The model takes: age, fare/],
    ['a text for a number', having('fare', { data: ['7.5'] }), /"fare", value 0: "7\.5" is not a finite number/],
    ['a number for a text', having('note', { data: [7] }), /"note", value 0: 7 is not text/],
    ['a null where none may be', having('alone', { data: [null] }), /"alone", value 0: null is not true or false/],
    ['a time without an offset', having('booked', { data: ['2026-01-31T08:00:00'] }), /"booked", value 0: .* is not a time with an offset, as 2026-01-31T08:00:00Z, or a date, or null/],
    ['a datatype of another type', having('alone', { datatype: 'FP32', data: [1] }), /"alone" has datatype FP32; the column is of type boolean: BOOL/],
    ['a category that is refused', having('class', { data: [9] }), /"class", value 0: 9 is a category that the model does not know\. It knows: 0, 1, 2, 3/],
  ] as const)('%s', async (_what, body, message) => {
    const answer = await ask(server.url, token, `/v2/models/${model.model}/infer`, body);
    expect(answer).toMatchObject({ status: 422, body: { error: expect.stringMatching(message) as string } });
  });

  test('a nullable column may be left out, and the metadata says what is taken', async () => {
    const nulls = testRows.map((values) => values.map((cell, index) => (index === 0 || index === 7 ? null : cell)));
    const left = { inputs: request(nulls).inputs.filter(({ name }) => name !== 'age' && name !== 'booked') };
    expect((await infer(server.url, token, model.model, left)).outputs).toEqual((await infer(server.url, token, model.model, request(nulls))).outputs);
    const { body } = await ask(server.url, token, `/v2/models/${model.model}`);
    expect(body).toMatchObject({ inputs: expect.arrayContaining([{ name: 'class', datatype: 'FP64', shape: [-1, 1], parameters: { type: 'number', nullable: false, allowed: ['0', '1', '2', '3'] } }]) as unknown });
  });

  test('rows of a file, too', async () => {
    const [csv = ''] = await files([row.map((cell, index) => (index === 3 ? 9 : cell))]);
    await expect(scored(model, csv)).rejects.toMatchObject({ code: 'score/input', message: expect.stringMatching(/the column class in row 0 .*: 9 is a category that the model does not know/) as string });
    const [, lines = ''] = await files([row.map((cell, index) => (index === 6 ? null : cell))]);
    await expect(scored(model, lines)).rejects.toMatchObject({ code: 'score/input', message: expect.stringMatching(/the column alone does not hold true or false in row 0/) as string });
  });
});
