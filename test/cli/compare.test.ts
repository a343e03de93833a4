import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Comparison, ComparedFact } from '../../contract/comparison.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import { ModelDefinition } from '../../definition/model.js';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel, commit, digest, ref, versionOf } from '../stores/samples.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
const model = 'iris';

/** Two runs on the same test rows that differ in the learning rate, of which the first is a version; a third on other test rows. */
beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['viewer']));
  await addModel(gateway.stores, model);
  for (const [name, test] of [['one', 'test rows'], ['two', 'test rows'], ['three', 'other test rows']] as const) await snapshot(name, test);
  await run('one', 0.01, 0.9, true);
  await run('two', 0.002, 0.93, false);
  await run('three', 0.002, 0.99, false);
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

async function snapshot(name: string, test: string): Promise<void> {
  const counts = { bySplit: { train: 120, test: 30 }, byClass: { a: 75, b: 75 }, byAttribute: {} };
  const shards = [{ index: 0, split: 'train', rows: 120, digest: digest(name) }, { index: 1, split: 'test', rows: 30, digest: digest(test) }] as const;
  const manifest: SnapshotManifest = {
    v: 1, digest: digest(name), content: { kind: 'table', model, target: { name: 'kind', classes: ['a', 'b'] }, columns: ['x'], shards: [...shards] },
    shards: shards.map((shard) => ({ ...shard, file: ref(shard.digest) })), counts, sources: [{ description: `csv rows/${name}.csv`, rows: 150 }],
  };
  await gateway.stores.snapshots.save({ digest: digest(name), model, manifest: await gateway.artifacts.putBlob(Buffer.from(JSON.stringify(manifest))), rows: 150, counts, report: { v: 1, blocked: false, findings: [] }, blocked: false });
}

async function run(cause: string, learningRate: number, accuracy: number, registered: boolean): Promise<void> {
  const { stores } = gateway;
  const at = commit(cause);
  const definition = ModelDefinition.parse({
    schema: 1, name: model, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'tells kinds',
    data: { kind: 'table', target: { name: 'kind', classes: ['a', 'b'] }, columns: ['x'], sources: [{ kind: 'csv', location: 'rows', path: `${cause}.csv`, key: 'id', split: 'train' }] },
    network: { layers: [{ className: 'Dense', config: { units: 2, activation: 'softmax' } }] },
    training: { optimizer: { kind: 'adam', learningRate }, epochs: 3, batchSize: 8, seed: 1 },
    evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] },
  });
  await stores.models.saveDefinition({ model, repository: 'cars', commit: at, path: 'iris.model.ts', trainingDigest: digest(cause), policyDigest: digest('p'), definition, bundle: ref('bundle'), networkBundle: null });
  const { run: { id } } = await stores.runs.create({ model, cause, reason: { kind: 'commit', detail: 'a push', by: 'ada', force: false }, commit: at, trainingDigest: digest(cause), policyDigest: digest('p') });
  await stores.runs.setFields(id, { snapshot: digest(cause) });
  await stores.learningCurves.save({ subject: id, parameters: 4, epochs: [1, 2, 3].map((epoch) => ({ epoch, loss: 1 / epoch, accuracy: 0.5, validationLoss: 1.2 / epoch, validationAccuracy: 0.5 })) });
  const overall = { n: 30, accuracy, precision: accuracy, recall: accuracy, f1: accuracy, classes: ['a', 'b'], perClass: [{ class: 'a', precision: accuracy, recall: 0.8, f1: accuracy, support: 15 }], confusion: [[15, 0], [0, 15]] };
  await stores.evaluations.save({ run: id, kind: 'offline', version: null, report: { v: 1, snapshot: digest(cause), overall, slices: [{ name: 'night', report: { ...overall, n: 10, accuracy: 0.7 } }], mistakes: [] }, ref: null });
  if (!registered) return;
  const { version } = await stores.versions.register({ ...versionOf(model, id), commit: at, snapshot: digest(cause) });
  await stores.runs.setFields(id, { version });
}

const fact = (facts: readonly ComparedFact[], name: string) => facts.find((one) => one.name === name);

test('a run and a version are held side by side: what they reached, and what made them', async () => {
  const { code, out } = await cli.run(['compare', `${model}@1`, `${model}-r2`, '--json']);
  const comparison = JSON.parse(out) as Comparison;
  expect([code, comparison.sameTestRows]).toEqual([0, true]);
  expect(fact(comparison.metrics, 'accuracy')).toEqual({ name: 'accuracy', values: [0.9, 0.93], same: false });
  expect(fact(comparison.metrics, 'recall of a')).toEqual({ name: 'recall of a', values: [0.8, 0.8], same: true });
  expect(fact(comparison.metrics, 'night: accuracy')?.values).toEqual([0.7, 0.7]);
  expect(comparison.parameters.filter(({ same }) => !same)).toEqual([{ name: 'training.optimizer.learningRate', values: [0.01, 0.002], same: false }]);
  expect(fact(comparison.data, 'rows of csv rows/one.csv')?.values).toEqual([150, null]);
  expect(fact(comparison.code, 'commit')?.values).toEqual([commit('one'), commit('two')]);
  expect(comparison.subjects.map(({ losses }) => losses.at(-1))).toEqual([{ epoch: 3, training: 1 / 3, validation: 1.2 / 3 }, { epoch: 3, training: 1 / 3, validation: 1.2 / 3 }]);
});

test('people see the differences, and whether the metrics are of the same rows', async () => {
  const same = await cli.run(['compare', `${model}@1`, `${model}-r2`]);
  expect(same.out).toMatch(/training\.optimizer\.learningRate +0\.0100 +0\.0020/);
  expect(same.out).not.toContain('training.epochs');
  expect(same.out).not.toContain('different test rows');
  expect((await cli.run(['compare', `${model}@1`, `${model}-r2`, '--all'])).out).toMatch(/training\.epochs +3 +3/);
  expect((await cli.run(['compare', `${model}-r2`, `${model}-r3`])).out).toContain('judged on different test rows');
});

test('as a picture: each metric of each, and each learning curve', async () => {
  expect((await cli.run(['compare', `${model}-r1`, `${model}-r2`, `${model}-r3`, '--picture', 'compared.svg'])).code).toBe(0);
  const picture = await readFile(join(cli.folder, 'compared.svg'), 'utf8');
  expect(picture).toContain('<title>accuracy: 0.99</title>');
  expect(picture.match(/class="curve training s\d"/g)).toHaveLength(3);
  expect(picture.match(/class="curve s\d"/g)).toHaveLength(3);
});

test('what cannot be compared is named', async () => {
  for (const [args, code, said] of [[[`${model}@1`, `${model}-r77`], 1, 'run/unknown'], [[`${model}@1`, 'iris'], 1, 'request/invalid'], [[`${model}@1`], 2, 'missing required argument']] as const) {
    const ran = await cli.run(['compare', ...args]);
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(said)]);
  }
});
