import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExplainTask } from '../../contract/explanation.js';
import type { FittedFeature } from '../../contract/features.js';
import type { Preprocessing } from '../../contract/package.js';
import type { TrainingProfile } from '../../contract/profile.js';
import type { Target } from '../../definition/target.js';
import { loadNativeParts } from '../../infra/native.js';
import { signatureOf } from '../../runtime/preprocess.js';
import { startRunner, type Runner } from '../../runtime/runner/start.js';
import { MATRIX, probabilitiesOf, writeGraphModel, writeSavedModel } from './support/networks.js';
import { sealPackage } from './support/package.js';

const { tfjsNode } = loadNativeParts();
const CLASSES: Target = { task: 'classification', name: 'label', classes: ['no', 'yes'] };
const PRICE: Target = { task: 'regression', name: 'price', scale: 'standard' };
const TASK: ExplainTask = { method: null, target: null, steps: null, patch: null, baseline: null };
const near = (values: readonly number[], digits = 5) => values.map((value) => expect.closeTo(value, digits) as number);

let folder: string;
const runners: Runner[] = [];
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'perennial-explain-')); });
afterAll(async () => {
  await Promise.all(runners.map((runner) => runner.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** A runner of a network that `write` puts into a folder. */
async function run(name: string, write: (folder: string) => unknown, { preprocessing, target = CLASSES, profile }: { preprocessing: Preprocessing; target?: Target; profile?: TrainingProfile }): Promise<Runner> {
  const packageDirectory = join(folder, name);
  mkdirSync(packageDirectory, { recursive: true });
  write(packageDirectory);
  const parts = { preprocessing, signature: signatureOf(preprocessing, 'image', target), ...(profile ? { profile } : {}) };
  for (const [part, value] of Object.entries(parts)) writeFileSync(join(packageDirectory, `${part}.json`), JSON.stringify(value));
  sealPackage(packageDirectory, { v: 1, rows: [] });
  const runner = await startRunner({ packageDirectory, tfjsNode });
  runners.push(runner);
  return runner;
}

/** Layers as TensorFlow.js saves them, with their weights in one file. */
function writeLayers(layers: readonly object[], weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly values: readonly number[] }[]) {
  return (directory: string) => {
    writeFileSync(join(directory, 'weights.bin'), new Uint8Array(Float32Array.from(weights.flatMap(({ values }) => values)).buffer));
    const specs = weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
    writeFileSync(join(directory, 'model.json'), JSON.stringify({ format: 'layers-model', modelTopology: { class_name: 'Sequential', config: { name: 'given', layers } }, weightsManifest: [{ paths: ['weights.bin'], weights: specs }] }));
  };
}
const one = (units: number, inputs: number, values: readonly number[], activation: string) => writeLayers(
  [{ class_name: 'Dense', config: { name: 'dense', units, activation, use_bias: false, batch_input_shape: [null, inputs] } }], [{ name: 'dense/kernel', shape: [inputs, units], values }]);

const number = (column: string, offset = 0, scale = 1): FittedFeature => ({ kind: 'number', column, fill: 0, indicator: false, offset, scale });
const described = (name: string, median: number) => ({ name, mean: 0, standardDeviation: 1, minimum: 0, maximum: 1, quantiles: Array.from({ length: 21 }, (_, index) => median + index - 10) });

const PRICES: Preprocessing = {
  kind: 'columns', target: { offset: 100, scale: 0.1 },
  columns: [{ name: 'size', type: 'number', nullable: false }, { name: 'city', type: 'text', nullable: false }],
  features: [number('size', 50, 0.02), { kind: 'category', column: 'city', categories: ['Graz', 'Wien'], unknown: 'zeros', fill: null, missing: false }, { kind: 'cross', of: [{ column: 'size', edges: [60] }, { column: 'city' }], buckets: 1 }],
};
const WEIGHTS = [3, -1, 2, 7]; // of size, Graz, Wien, and the cross, which is always 1
const PROFILE: TrainingProfile = { v: 1, kind: 'table', rows: 10, byClass: {}, features: [described('size', 60)] };

test('a linear network: weights times the way from the median row, in the target\'s unit, encoded columns summed', async () => {
  const runner = await run('linear', one(1, 4, WEIGHTS, 'linear'), { preprocessing: PRICES, target: PRICE, profile: PROFILE });
  const { head, attributions } = await runner.explain({ rows: 2, input: [[90, 'Wien'], [60, 'Graz']], task: TASK });
  expect(head).toMatchObject({ method: 'integrated-gradients', baseline: 'median', steps: 64, shape: [2] });
  // A price is ten times what the network gives, and 100 more.
  expect([...attributions]).toEqual(near([10 * 3 * (90 - 60) * 0.02, 10 * 2, 0, 10 * -1], 4));
  expect(head.rows.map(({ target, output, baselineOutput }) => [target, output - baselineOutput])).toEqual([[null, expect.closeTo(38, 4)], [null, expect.closeTo(-10, 4)]]);
  for (const { gap } of head.rows) expect(gap).toBeLessThan(1e-4);

  const given = await runner.explain({ rows: 1, input: [[90, 'Wien']], task: { ...TASK, baseline: [[1, 'Wien']] } });
  expect(given.head.baseline).toBe('given');
  expect([...given.attributions]).toEqual(near([18, 0], 4));
  const zeros = await runner.explain({ rows: 1, input: [[90, 'Wien']], task: { ...TASK, baseline: 'zeros' } });
  expect([...zeros.attributions]).toEqual(near([10 * 3 * 0.8 + 35, 20 + 35], 4)); // the cross counts half for each
  for (const method of ['shapley', 'occlusion'] as const) {
    expect([...(await runner.explain({ rows: 1, input: [[90, 'Wien']], task: { ...TASK, method } })).attributions]).toEqual(near([18, 20], 4));
    await expect(runner.explain({ rows: 1, input: [[90, 'Wien']], task: { ...TASK, method, baseline: 'zeros' } })).rejects.toMatchObject({ reason: 'unfit' });
  }
});

const AB: Preprocessing = { kind: 'columns', columns: ['a', 'b'].map((name) => ({ name, type: 'number', nullable: false })), features: [number('a'), number('b')] };

test('a softmax: the predicted class or another one is explained, and the gap falls with the steps', async () => {
  const runner = await run('softmax', one(2, 2, MATRIX, 'softmax'), { preprocessing: AB });
  const row = [4, -3] as const;
  const explain = async (task: Partial<ExplainTask>) => runner.explain({ rows: 1, input: [[...row]], task: { ...TASK, ...task } });
  const own = await explain({});
  expect(own.head.rows).toMatchObject([{ target: 0, output: expect.closeTo(probabilitiesOf([...row])[0], 5) as number, baselineOutput: 0.5 }]);
  const other = await explain({ target: 1 });
  expect([...other.attributions]).toEqual(near([...own.attributions].map((value) => -value)));
  const gaps = await Promise.all([1, 4, 64].map(async (steps) => (await explain({ steps })).head.rows[0]?.gap ?? NaN));
  expect(gaps[0]).toBeGreaterThan(4 * (gaps[1] ?? NaN));
  expect(gaps[1]).toBeGreaterThan(4 * (gaps[2] ?? NaN));
  expect(gaps[2]).toBeLessThan(1e-3);
});

test.each([['graph', writeGraphModel], ['SavedModel', (directory: string) => writeSavedModel(join(directory, 'saved_model'))]] as const)('a %s has no gradients here: it is explained by Shapley values, and says so where they are asked for', async (name, write) => {
  const runner = await run(name, (directory) => write(directory), { preprocessing: AB });
  const explain = (task: Partial<ExplainTask>) => runner.explain({ rows: 1, input: [[4, -3]], task: { ...TASK, ...task } });
  const { head, attributions } = await explain({});
  expect(head).toMatchObject({ method: 'shapley', baseline: 'median' });
  const f = (a: number, b: number) => probabilitiesOf([a, b])[0];
  expect([...attributions]).toEqual(near([f(4, 0) - f(0, 0) + f(4, -3) - f(0, -3), f(0, -3) - f(0, 0) + f(4, -3) - f(4, 0)].map((twice) => twice / 2)));
  expect(head.rows[0]?.gap).toBeLessThan(1e-6);
  await expect(explain({ method: 'integrated-gradients' })).rejects.toMatchObject({ reason: 'unfit', message: expect.stringContaining('explain by shapley') as string });
  expect((await explain({ method: 'occlusion' })).head.rows[0]?.gap).toBeGreaterThan(0.01);
});

test('a picture: occlusion and integrated gradients find the patch that decides', async () => {
  const side = 16;
  const inside = (pixel: number) => pixel % side >= 4 && pixel % side < 8 && pixel >= 8 * side && pixel < 12 * side;
  const kernel = Array.from({ length: 3 * side * side }, (_, at) => (inside(Math.floor(at / 3)) ? [0.03, -0.03] : [0, 0])).flat();
  const runner = await run('patch', writeLayers([
    { class_name: 'Flatten', config: { name: 'flatten', batch_input_shape: [null, side, side, 3] } },
    { class_name: 'Dense', config: { name: 'dense', units: 2, activation: 'softmax', use_bias: false } },
  ], [{ name: 'dense/kernel', shape: [3 * side * side, 2], values: kernel }]), { preprocessing: { kind: 'image', height: side, width: side, channels: 3, offset: 0, scale: 1 / 255 } });
  const picture = Uint8Array.from({ length: 3 * side * side }, (_, at) => (inside(Math.floor(at / 3)) ? 200 : 20 + (at * 7) % 50));
  const patches = { ...TASK, method: 'occlusion', patch: 4 } as const;
  for (const task of [TASK, patches]) {
    const { head, attributions } = await runner.explain({ rows: 1, input: picture, task });
    expect(head).toMatchObject({ method: task.method ?? 'integrated-gradients', baseline: task.method === null ? 'black' : 'mean', shape: [side, side] });
    attributions.forEach((value, pixel) => { if (inside(pixel)) expect(value).toBeGreaterThan(1e-4); else expect(Math.abs(value)).toBeLessThan(1e-7); });
    if (task.method === null) expect(head.rows[0]?.gap).toBeLessThan(1e-3);
  }
  await expect(runner.explain({ rows: 1, input: picture, task: { ...TASK, method: 'shapley' } })).rejects.toMatchObject({ reason: 'unfit' });
});

test('predictions go on while something is explained, and what nobody waits for is given up', async () => {
  const runner = runners[0];
  if (!runner) throw new Error('there is no runner');
  const rows = Array.from({ length: 16 }, (_, at) => [50 + at, 'Wien']);
  const controller = new AbortController();
  let isDone = false;
  const long = runner.explain({ rows: 16, input: rows, task: { ...TASK, steps: 20_000 }, signal: controller.signal }).then(() => 'explained', (error: unknown) => error).finally(() => { isDone = true; });
  for (let asked = 0; asked < 30; asked += 1) expect(await runner.predict({ rows: 1, input: [[90, 'Wien']] })).toHaveLength(1);
  expect(isDone).toBe(false);
  controller.abort();
  expect(await long).toMatchObject({ name: 'NotExplained', reason: 'cancelled' });
  expect(runner.inFlight).toBe(0);
});
