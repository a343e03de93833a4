import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { TrainedVariant } from '../../definition/compression.js';
import { Compression } from '../../definition/compression.js';
import { layers } from '../../definition/define.js';
import { ModelDefinition } from '../../definition/model.js';
import { loadNativeParts } from '../../infra/native.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import { measureLatencies } from '../../runtime/evaluate/measure-latency.js';
import { Prng } from '../../runtime/prng.js';
import { trainInChild } from '../../runtime/train/train.js';
import type { Trained, TrainOptions } from '../../runtime/train/train.js';
import { tableDefinition } from './support/definitions.js';
import { classesOf, valuesOf } from './support/evaluated.js';
import { writeSnapshot } from './support/snapshot.js';
import type { Row } from './support/snapshot.js';

const { tfjsNode } = loadNativeParts();
const folder = mkdtempSync(join(tmpdir(), 'perennial-variants-'));
const COLUMNS = ['a', 'b', 'c'];
const definition = tableDefinition(COLUMNS, {
  network: { layers: [layers.dense({ units: 64, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] },
  training: { epochs: 6, optimizer: { kind: 'adam', learningRate: 0.02 } },
});
let snapshot: LocalSnapshot;
let full: Trained;
let attempts = 0;

const train = (options: Partial<TrainOptions>): Promise<Trained> =>
  trainInChild({ definition, snapshot, bundleCode: null, attemptDirectory: join(folder, `attempt-${(attempts += 1)}`), resumeFrom: null, mode: 'full', tfjsNode, ...options });
const variantOf = (variant: unknown): TrainedVariant => {
  const [parsed] = Compression.parse({ variants: [variant], allow: { lost: 0.01 } }).variants;
  if (parsed === undefined || typeof parsed === 'string') throw new TypeError('a trained variant was expected');
  return parsed;
};
const smaller = (variant: unknown, options: Partial<TrainOptions> = {}) => train({ variant: { variant: variantOf(variant), full: full.modelDirectory }, ...options });
const bytesOf = ({ modelDirectory }: Trained) => readFileSync(join(modelDirectory, 'weights.bin'));
const weightsOf = (trained: Trained) => { const bytes = bytesOf(trained); return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)]; };
const evaluate = (modelDirectory: string, rows = snapshot) => evaluateInChild({ modelDirectory, snapshot: rows, tfjsNode });
const accuracyOf = async ({ modelDirectory }: Trained) => { const { actual, predicted } = classesOf(await evaluate(modelDirectory)); return actual.filter((value, row) => value === predicted[row]).length / actual.length; };
/** The kernels of the full network, in the order of its weights. */
const KERNELS = [[0, 3 * 64], [3 * 64 + 64, 64 * 2]] as const;
const zerosOf = (weights: readonly number[]) => KERNELS.map(([from, count]) => weights.slice(from, from + count).filter((value) => value === 0).length);

function rowsOf(labelOf: (values: readonly number[]) => string | number): Row[] {
  const prng = Prng.of('variants');
  return Array.from({ length: 3000 }, (_, index): Row => {
    const values = COLUMNS.map(() => prng.float() * 100 + 1000);
    return { key: `t${index + 10_000}`, split: index % 5 === 0 ? 'test' : 'train', label: labelOf(values), values };
  });
}

beforeAll(async () => {
  snapshot = await writeSnapshot(join(folder, 'rows'), rowsOf(([a = 0, b = 0]) => (a + b > 2100 ? 'yes' : 'no')), { classes: ['no', 'yes'], columns: COLUMNS });
  full = await train({});
}, 120_000);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

describe('a pruned network', () => {
  test('has the same share of zeros in each kernel, those of least magnitude, and is trained on without them', async () => {
    const [cut, trained] = [await smaller({ kind: 'prune', name: 'half', share: 0.5, epochs: 0 }), await smaller({ kind: 'prune', name: 'half', share: 0.5, epochs: 2 })];
    const [before, after, later] = [full, cut, trained].map(weightsOf);
    if (!before || !after || !later) throw new Error('three networks were trained');
    expect([zerosOf(before), zerosOf(after), zerosOf(later)]).toEqual([[0, 0], [96, 64], [96, 64]]);
    const [dropped, kept] = [true, false].map((isZero) => before.slice(0, 192).filter((_, at) => (after[at] === 0) === isZero).map(Math.abs));
    expect(Math.max(...dropped ?? [])).toBeLessThanOrEqual(Math.min(...kept ?? []));
    after.forEach((value, at) => { if (value !== 0) expect(value).toBe(before[at]); });
    expect(later).not.toEqual(after);
    expect(trained.history).toHaveLength(2);
    expect(await accuracyOf(trained)).toBeGreaterThan(0.95);
  });

  test('takes less room with its weights compressed, and is loaded all the same', async () => {
    const trained = await smaller({ kind: 'prune', name: 'most', share: 0.9, epochs: 1 });
    const packed = join(folder, 'packed');
    cpSync(trained.modelDirectory, packed, { recursive: true });
    const bytes = gzipSync(bytesOf(trained), { level: 9 });
    expect(bytes.byteLength).toBeLessThan(0.6 * bytesOf(trained).byteLength);
    writeFileSync(join(packed, 'weights.bin'), bytes);
    writeFileSync(join(packed, 'model.json'), JSON.stringify({ ...JSON.parse(readFileSync(join(packed, 'model.json'), 'utf8')) as object, weightsEncoding: 'gzip' }));
    expect(classesOf(await evaluate(packed)).probabilities).toEqual(classesOf(await evaluate(trained.modelDirectory)).probabilities);
  });

  test('goes on from a checkpoint to the same weights, to the last bit', async () => {
    const variant = { kind: 'prune', name: 'half', share: 0.5, epochs: 2 };
    const whole = await smaller(variant);
    let pid = 0;
    let last = '';
    const error = await smaller(variant, { checkpointEveryMs: 20, onStart: (started) => { pid = started; }, onCheckpoint: async (directory) => { last = directory; if (Number(directory.split('-').at(-1)) > 20) process.kill(pid, 'SIGKILL'); } }).then(() => null, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'training/crashed', retryable: true });
    expect(bytesOf(await smaller(variant, { resumeFrom: last })).equals(bytesOf(whole))).toBe(true);
    const other = await smaller({ ...variant, share: 0.4 }, { resumeFrom: last }).then(() => null, (thrown: unknown) => thrown);
    expect((other as Error).message).toMatch(/belongs to another definition or snapshot/);
  });
});

describe('a distilled network', () => {
  const few = { layers: [layers.dense({ units: 4, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] };

  test('is the smaller one that its definition names, learns what the full one answers, and comes out the same again', async () => {
    const variant = { kind: 'distil', name: 'few', network: few, epochs: 8, teacher: 1 };
    const [one, two] = await Promise.all([smaller(variant), smaller(variant)]);
    expect(one.parameters).toBe(3 * 4 + 4 + 4 * 2 + 2);
    expect(bytesOf(one).equals(bytesOf(two))).toBe(true);
    expect(one.history.at(-1)?.loss).toBeLessThan(one.history[0]?.loss ?? 0);
    expect(await accuracyOf(one)).toBeGreaterThan(0.93);
  });

  test('learns from the teacher, not from the labels, where the labels count for nothing', async () => {
    // A teacher that says the opposite of every label.
    const opposite = await writeSnapshot(join(folder, 'opposite'), rowsOf(([a = 0, b = 0]) => (a + b > 2100 ? 'no' : 'yes')), { classes: ['no', 'yes'], columns: COLUMNS });
    const variant = { kind: 'distil', name: 'few', network: few, epochs: 8 };
    const [taught, told] = await Promise.all([smaller({ ...variant, teacher: 1 }, { snapshot: opposite }), smaller({ ...variant, teacher: 0 }, { snapshot: opposite })]);
    expect(await accuracyOf(taught)).toBeGreaterThan(0.9);
    expect(await accuracyOf(told)).toBeLessThan(0.1);
  });

  test('is built by the network\'s own module with other hyperparameters', async () => {
    const code = 'export default ({ tf, inputShape, classes, hyperparameters, seed }) => tf.sequential({ layers: [tf.layers.dense({ inputShape: [...inputShape], units: hyperparameters.units, activation: "relu", kernelInitializer: tf.initializers.glorotUniform({ seed: seed("d") }) }), tf.layers.dense({ units: classes.length, activation: "softmax", kernelInitializer: tf.initializers.glorotUniform({ seed: seed("e") }) })] });';
    const ofModule: ModelDefinition = { ...definition, network: { module: './network.ts' }, training: { ...definition.training, hyperparameters: { units: 64 } } };
    const { parameters } = await smaller({ kind: 'distil', name: 'few', network: { hyperparameters: { units: 3 } }, epochs: 1 }, { definition: ofModule, bundleCode: Buffer.from(code) });
    expect(parameters).toBe(3 * 3 + 3 + 3 * 2 + 2);
  });

  test('of a number learns the full one\'s values', async () => {
    const rows = await writeSnapshot(join(folder, 'numbers'), rowsOf(([a = 0, b = 0]) => 1e6 + 3 * a - 2 * b), { target: { task: 'regression', name: 'price' }, columns: COLUMNS });
    const number = ModelDefinition.parse({
      ...definition, data: { ...definition.data, target: { task: 'regression', name: 'price' } }, evaluation: { gates: [{ kind: 'at-most', name: 'error', metric: 'mae', threshold: 100 }] },
      network: { layers: [layers.dense({ units: 32, activation: 'relu' }), layers.dense({ units: 1 })] }, training: { ...definition.training, epochs: 8 },
    });
    const teacher = await train({ definition: number, snapshot: rows });
    const student = await train({ definition: number, snapshot: rows, variant: { variant: variantOf({ kind: 'distil', name: 'few', network: { layers: [layers.dense({ units: 4, activation: 'relu' }), layers.dense({ units: 1 })] }, epochs: 12, teacher: 0.5 }), full: teacher.modelDirectory } });
    const { actual, predicted } = valuesOf(await evaluate(student.modelDirectory, rows));
    expect(actual.reduce((sum, value, row) => sum + Math.abs(value - (predicted[row] ?? NaN)), 0) / actual.length).toBeLessThan(20);
    expect(student.history.at(-1)).toMatchObject({ accuracy: null, mae: expect.any(Number) as number });
  });
});

test('networks are timed in turns, on rows of the test split', async () => {
  const few = await smaller({ kind: 'distil', name: 'few', network: { layers: [layers.dense({ units: 2, activation: 'softmax' })] }, epochs: 1 });
  const { single, batch, batchRows } = await measureLatencies({ modelDirectories: [full.modelDirectory, few.modelDirectory], snapshot, tfjsNode, rounds: 50 });
  expect([single.map(({ length }) => length), batch.map(({ length }) => length), batchRows]).toEqual([[50, 50], [10, 10], 32]);
  expect([...single, ...batch].flat().every((milliseconds) => milliseconds > 0)).toBe(true);
});
