import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSnapshot } from '../../activities/data/open-snapshot.js';
import { reportOf } from '../../activities/evaluate/evaluate-model.js';
import { foldSql, holdOut } from '../../activities/experiment/held-out.js';
import type { HeldOut } from '../../activities/experiment/held-out.js';
import { createExperimentReadActivities, createExperimentRecordActivities, createTrialActivities } from '../../activities/experiment/index.js';
import { withParameters } from '../../activities/experiment/parameters.js';
import { ExperimentPlan } from '../../contract/experiment.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import { ModelDefinition } from '../../definition/model.js';
import type { ModelDefinitionInput } from '../../definition/model.js';
import { trialsOf } from '../../domain/experiment.js';
import { figuresOf } from '../../domain/figures.js';
import { loadNativeParts } from '../../infra/native.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import { trainInChild } from '../../runtime/train/train.js';
import { addModel, commit } from '../stores/samples.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

const { tfjsNode } = loadNativeParts();
let stack: DataStack;
beforeAll(async () => {
  stack = await createDataStack();
  Object.assign(stack.deps, { tfjsNode });
});
afterAll(() => stack.close());

type Split = Data['sources'][number]['split'];
const COLUMNS = [{ name: 'size', type: 'number', nullable: true }, { name: 'plan', type: 'text' }, { name: 'shop', type: 'text' }] as const;
const ROWS = Array.from({ length: 240 }, (_none, index) => {
  const renewed = (index * 7) % 10 < 5;
  return { id: `contract-${index}`, shop: `shop ${index % 30}`, day: new Date(Date.UTC(2024, 0, 1 + index)).toISOString(), size: index % 9 === 0 ? '' : String((renewed ? 10 : 4) + (index % 11)), plan: ['basic', 'gold', 'silver'][index % 3], renewed: renewed ? 'yes' : 'no' };
});
const csv = (rows: typeof ROWS) => ['id,shop,day,size,plan,renewed', ...rows.map(({ id, shop, day, size, plan, renewed }) => [id, shop, day, size, plan, renewed].join(','))].join('\n');

const dataOf = (location: string, files: Readonly<Record<string, Split>>): Extract<Data, { kind: 'table' }> => ({
  kind: 'table', columns: [...COLUMNS], target: { name: 'renewed', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 },
  sources: Object.entries(files).map(([path, split]) => ({ kind: 'csv', location, path, key: 'id', split })),
});
/** Scaled and filled in by the mean of training rows, and crossed with what is rare: wrong where fitted on other rows. */
const definitionOf = (name: string, data: Data, training: object = {}): ModelDefinition => ModelDefinition.parse({
  schema: 1, name, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'a test', data,
  network: { layers: [{ className: 'Dense', config: { units: 6, activation: 'relu' } }, { className: 'Dense', config: { units: 2, activation: 'softmax' } }] },
  training: { optimizer: { kind: 'adam', learningRate: 0.02 }, epochs: 3, batchSize: 16, seed: 3, threads: 1, ...training },
  evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }], slices: [] },
} satisfies ModelDefinitionInput);

/** A snapshot of these rows, as a run makes it. */
async function built(files: Readonly<Record<string, { rows: typeof ROWS; split: Split }>>, model?: string) {
  const place = await stack.locate();
  for (const [file, { rows }] of Object.entries(files)) await place.put(file, csv(rows));
  const data = dataOf(place.name, Object.fromEntries(Object.entries(files).map(([file, { split }]) => [file, split])));
  const { model: name, build } = await stack.define(data, model);
  const { digest } = await build();
  return { model: name, data, digest, snapshot: await openSnapshot(stack.deps, digest) };
}

const splitsOf = async ({ localShards }: LocalSnapshot, more = '') => query(`select key, split${more} from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}])`) as Promise<{ key: string; split: string; shop: string }[]>;
const folder = () => mkdtemp(join(stack.folder, 'held-out-'));
const held = async (snapshot: LocalSnapshot, heldOut: HeldOut) => holdOut(snapshot, heldOut, await folder(), new AbortController().signal);
const fold = (at: number, folds: number, group: string | null = null): HeldOut => ({ kind: 'fold', fold: at, folds, seed: 1, group });

describe('the rows of folds', () => {
  test('are each judged once, all but the test rows, which are in none; the others stay what they are', async () => {
    const { snapshot } = await built({ 'a.csv': { rows: ROWS, split: { byKey: { train: 0.6, validation: 0.2, test: 0.2 } } } });
    const before = new Map((await splitsOf(snapshot)).map(({ key, split }) => [key, split]));
    const judged: string[] = [];
    for (const at of [0, 1, 2, 3]) {
      const rows = await splitsOf(await held(snapshot, fold(at, 4)));
      expect(rows.map(({ key }) => key).sort()).toEqual([...before].filter(([, split]) => split !== 'test').map(([key]) => key).sort());
      for (const { key, split } of rows) if (split !== 'test') expect(split).toBe(before.get(key));
      const own = rows.filter(({ split }) => split === 'test').map(({ key }) => key);
      expect(Math.abs(own.length - rows.length / 4)).toBeLessThan(20);
      judged.push(...own);
    }
    expect(judged.sort()).toEqual([...before].filter(([, split]) => split !== 'test').map(([key]) => key).sort());

    const rows = await splitsOf(await held(snapshot, { kind: 'validation' }));
    for (const { key, split } of rows) expect(split).toBe(before.get(key) === 'validation' ? 'test' : 'train');
    const another = await splitsOf(await held(snapshot, { kind: 'fold', fold: 0, folds: 4, seed: 2, group: null }));
    expect(another.filter(({ split }) => split === 'test').map(({ key }) => key)).not.toEqual(judged.slice(0, 40));
  });

  test('keep a group together', async () => {
    const { snapshot } = await built({ 'a.csv': { rows: ROWS, split: { byGroup: { column: 'shop', train: 0.8, test: 0.2 } } } });
    const sides = new Map<string, Set<string>>();
    for (const { shop, split } of await splitsOf(await held(snapshot, fold(0, 3, 'shop')), ', shop')) sides.set(shop, (sides.get(shop) ?? new Set()).add(split));
    expect([...sides.values()].every((own) => own.size === 1)).toBe(true);
    expect(new Set([...sides.values()].flatMap((own) => [...own]))).toEqual(new Set(['train', 'test']));
  });

  test('that would be none are told', async () => {
    const { snapshot } = await built({ 'a.csv': { rows: ROWS.slice(0, 4), split: 'train' }, 'b.csv': { rows: ROWS.slice(200), split: 'test' } });
    const ends = await Promise.all(Array.from({ length: 20 }, (_none, at) => held(snapshot, fold(at, 20)).then(() => null, (error: { code: string; message: string }) => `${error.code}: ${error.message}`)));
    expect(ends.filter((end) => end?.startsWith('experiment/impossible: fold') === true && end.endsWith('leaves no rows to judge on: ask for fewer folds, or for another seed')).length).toBeGreaterThanOrEqual(16);
  });
});

/** An experiment whose commit was read. */
async function prepared({ model, digest }: { model: string; digest: string }, definition: ModelDefinition, plan: unknown) {
  const id = randomUUID();
  const parsed = ExperimentPlan.parse(plan);
  await stack.stores.experiments.create({ id, model, commit: commit(id), branch: 'main', by: 'ada', plan: parsed });
  await stack.stores.experiments.prepare(id, { definition, networkBundle: null, snapshot: digest, metric: 'accuracy' });
  const activities = createTrialActivities(stack.deps);
  return { id, trials: trialsOf(parsed), run: (trial: ReturnType<typeof trialsOf>[number]) => new MockActivityEnvironment().run(() => activities.runTrial({ id, trial })) };
}

test('a fold is trained and judged as a run of the same rows is: the figures are the same', { timeout: 120_000 }, async () => {
  const all = await built({ 'a.csv': { rows: ROWS, split: { byKey: { train: 0.8, test: 0.2 } } } });
  const { id, trials, run } = await prepared(all, definitionOf(all.model, all.data), { folds: 3, vary: [{ path: 'training.batchSize', values: [8] }] });
  const second = trials[1];
  if (!second) throw new Error('there are three trials');
  await run(second);
  const trial = await stack.stores.experiments.getTrial({ experiment: id, trial: second.trial });
  expect(trial).toMatchObject({ status: 'done', fold: 1, parameters: { 'training.batchSize': 8 } });

  const { localShards } = all.snapshot;
  const inFold = new Set((await query(`select key from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}]) where split = 'train' and ${foldSql({ folds: 3, seed: 1, group: null })} = 1`)).map(({ key }) => key as string));
  const unseen = new Set((await splitsOf(all.snapshot)).filter(({ split }) => split === 'test').map(({ key }) => key));
  const rest = ROWS.filter(({ id: key }) => !unseen.has(key));
  const same = await built({ 'train.csv': { rows: rest.filter((row) => !inFold.has(row.id)), split: 'train' }, 'test.csv': { rows: rest.filter((row) => inFold.has(row.id)), split: 'test' } });
  const definition = definitionOf(same.model, same.data, { batchSize: 8 });
  const { modelDirectory } = await trainInChild({ definition, bundleCode: null, snapshot: same.snapshot, attemptDirectory: join(await folder(), 'attempt'), resumeFrom: null, mode: 'full', tfjsNode });
  const report = reportOf(await evaluateInChild({ modelDirectory, snapshot: same.snapshot, tfjsNode, threads: 1 }), definition, same.digest);
  expect(trial?.rows).toBe(inFold.size);
  expect(trial?.figures).toEqual(Object.fromEntries(figuresOf(report)));
  expect(trial?.figures['accuracy']).toBeGreaterThan(0.5);

  // What is done is not done again, and leaves nothing in S3 but what was there.
  const ended = trial?.endedAt;
  await run(second);
  expect((await stack.stores.experiments.getTrial({ experiment: id, trial: second.trial }))?.endedAt).toBe(ended);
  expect((await stack.artifacts.list(`runs/experiment-${id}`))).toEqual([]);
});

test('a loss that is not a number ends its trial with that reason, and no other', { timeout: 120_000 }, async () => {
  const all = await built({ 'a.csv': { rows: ROWS.slice(0, 200), split: 'train' }, 'b.csv': { rows: ROWS.slice(200), split: 'test' } });
  const definition = definitionOf(all.model, all.data, { optimizer: { kind: 'sgd', learningRate: 0.01 }, epochs: 2 });
  const { id, trials: [bad, good], run } = await prepared(all, definition, { vary: [{ path: 'training.optimizer.learningRate', values: [1e30, 0.01] }] });
  if (!bad || !good) throw new Error('there are two trials');
  const error = await run(bad).then(() => null, (thrown: { code: string; message: string; next: string }) => thrown);
  expect(error).toMatchObject({ code: 'training/not-finite' });
  const record = createExperimentRecordActivities(stack.deps);
  for (let times = 0; times < 2; times += 1) await record.failTrial({ id, trial: bad, error: { code: error?.code ?? '', message: error?.message ?? '', next: error?.next ?? '' } });
  await run(good);
  for (let times = 0; times < 2; times += 1) await record.endExperiment({ id, status: 'done', stopped: null, error: null });
  const trials = await stack.stores.experiments.trials(id);
  expect(trials.map(({ status, error: own }) => [status, own?.code])).toEqual([['failed', 'training/not-finite'], ['done', undefined]]);
  expect(trials[1]?.rows).toBeGreaterThan(25); // a fifth, where there are no validation rows
  expect(trials[1]?.rows).toBeLessThan(55);
});

describe('a commit that is read', () => {
  const git = async (at: string, ...args: string[]) => (await promisify(execFile)('git', ['-C', at, '-c', 'user.name=Dana', '-c', 'user.email=dana@example.com', ...args])).stdout.trim();
  let team: { folder: string; model: string; data: Data; digest: string };

  beforeAll(async () => {
    const model = await addModel(stack.stores, `read-${randomUUID().slice(0, 8)}`);
    const at = join(stack.folder, model);
    await mkdir(at);
    await git(at, 'init', '--quiet', '--initial-branch', 'main');
    const all = await built({ 'a.csv': { rows: ROWS, split: { byKey: { train: 0.8, test: 0.2 } } } }, model);
    team = { folder: at, model, data: all.data, digest: all.digest };
    await stack.stores.models.ensure({ name: `${model}-other`, repository: 'cars', path: 'b.model.ts', owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'a test' });
  });

  /** Commits a definition on no branch, as the working tree is, and reads it for a plan. */
  async function read(text: string, plan: unknown, model = team.model) {
    await writeFile(join(team.folder, 'a.model.ts'), text);
    await git(team.folder, 'add', '--all');
    const at = await git(team.folder, 'commit-tree', await git(team.folder, 'write-tree'), '-m', 'a try');
    await git(team.folder, 'update-ref', 'refs/perennial/experiments/x', at);
    const id = randomUUID();
    // Where the models of these tests live, from here on.
    await stack.stores.repositories.add({ name: 'cars', url: team.folder, branches: ['main'], pollSeconds: 0, by: 'ada' });
    await stack.stores.experiments.create({ id, model, commit: at, branch: 'main', by: 'ada', plan: ExperimentPlan.parse(plan) });
    const refusal = await new MockActivityEnvironment().run(createExperimentReadActivities(stack.deps).readExperiment, { id }).then(() => null, (error: { code: string; message: string }) => error);
    return { refusal, experiment: await stack.stores.experiments.get(id) };
  }
  const source = (data: Data, more = '') => `import { defineModel } from 'perennial';\n${more}\nexport default defineModel(${JSON.stringify({ ...definitionOf(team.model, data), data })} as never);\n`;

  test('says what is trained, on the newest snapshot, and nothing of it is taken in', async () => {
    const { refusal, experiment } = await read(source(team.data), { folds: 3 });
    expect(refusal).toBeNull();
    expect(experiment).toMatchObject({ snapshot: team.digest, metric: 'accuracy', status: 'running', definition: { name: team.model } });
    expect((await stack.stores.models.currentDefinition(team.model))?.commit).not.toBe(experiment?.commit);
    expect(await stack.stores.runs.list({ model: team.model })).toHaveLength(1); // the one of the snapshot
  });

  test.each([
    ['a parameter that is none', { vary: [{ path: 'training.optimiser.learningRate', values: [1] }] }, 'experiment/impossible', 'training.optimiser.learningRate: the definition has no such field'],
    ['a value that cannot be', { vary: [{ path: 'training.epochs', values: [1, 'many'] }] }, 'experiment/impossible', 'with training.epochs=many: training.epochs'],
    ['a figure that is none', { metric: 'mae' }, 'experiment/impossible', 'metric: mae is none of this definition\'s figures: accuracy, precision, recall, f1'],
  ])('%s is refused before anything is trained', async (_what, plan, code, message) => {
    const { refusal, experiment } = await read(source(team.data), plan);
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(experiment?.snapshot).toBeNull();
  });

  test.each([
    ['other columns', (data: Extract<Data, { kind: 'table' }>): Data => ({ ...data, columns: [...COLUMNS, 'age'] }), 'has other rows than this commit asks for: data.columns: age: number here, none there'],
    ['a division by time', (data: Extract<Data, { kind: 'table' }>): Data => ({ ...data, sources: data.sources.map((one) => ({ ...one, split: { byTime: { column: 'day', testFrom: '2024-06-01' } } })) }), 'data.sources.0.split: rows that are divided by time have no folds'],
    ['a group that no column holds', (data: Extract<Data, { kind: 'table' }>): Data => ({ ...data, sources: data.sources.map((one) => ({ ...one, split: { byGroup: { column: 'day', train: 0.8, test: 0.2 } } })) }), 'data.sources.0.split: a snapshot does not keep day, which is no input column'],
  ])('%s has no folds', async (_what, change, message) => {
    const { refusal } = await read(source(change(team.data as Extract<Data, { kind: 'table' }>)), { folds: 3 });
    expect(refusal).toMatchObject({ code: 'experiment/impossible', message: expect.stringContaining(message) as string });
  });

  test('that throws, or holds no such model, is told as it is', async () => {
    expect((await read(source(team.data, 'throw new Error("not today");'), {})).refusal).toMatchObject({ code: 'definition/threw', message: expect.stringContaining('not today') as string });
    expect((await read(source(team.data), {}, `${team.model}-other`)).refusal).toMatchObject({ code: 'definition/missing' });
  });

  test('for more folds than there are rows is refused', async () => {
    const few = await built({ 'a.csv': { rows: ROWS.slice(0, 12), split: 'train' }, 'b.csv': { rows: ROWS.slice(200), split: 'test' } }, team.model);
    expect((await read(source(few.data), { folds: 13 })).refusal).toMatchObject({ code: 'experiment/impossible', message: expect.stringContaining('folds: 13 of 12 rows') as string });
  });
});

test('parameters change fields that are there, in layers too, and add hyperparameters of the team\'s own', () => {
  const definition = definitionOf('iris', dataOf('rows', { 'a.csv': 'train' }));
  const changed = withParameters(definition, { 'training.optimizer.learningRate': 0.5, 'network.layers.0.config.units': 16, 'training.hyperparameters.width': 3, 'training.threads': 1 });
  expect(changed.ok && [changed.definition.training.optimizer.learningRate, changed.definition.network, changed.definition.training.hyperparameters]).toEqual([0.5, { layers: [{ className: 'Dense', config: { units: 16, activation: 'relu' } }, { className: 'Dense', config: { units: 2, activation: 'softmax' } }] }, { width: 3 }]);
  expect(definition.training.optimizer.learningRate).toBe(0.02);
  expect(withParameters(definition, { 'training.optimiser.learningRate': 1, 'network.layers.3.config.units': 1 })).toEqual({ ok: false, problems: ['training.optimiser.learningRate: the definition has no such field', 'network.layers.3.config.units: the definition has no such field'] });
  expect(withParameters(definition, { 'training.epochs': 'many', 'training.optimizer.learningRate': -1 })).toMatchObject({ ok: false, problems: [expect.stringContaining('training.optimizer.learningRate'), expect.stringContaining('training.epochs')] as string[] });
});
