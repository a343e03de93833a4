import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PerennialError } from '../../contract/errors.js';
import type { LocalSnapshot, TrainProgress } from '../../contract/frames.js';
import { EnvironmentLock, Preprocessing, Signature } from '../../contract/package.js';
import { TrainingProfile } from '../../contract/profile.js';
import { layers } from '../../definition/define.js';
import { loadNativeParts } from '../../infra/native.js';
import { decodePicture } from '../../runtime/data/picture.js';
import { Prng } from '../../runtime/prng.js';
import { trainInChild } from '../../runtime/train/train.js';
import type { TrainOptions } from '../../runtime/train/train.js';
import { carsAndTrucks } from './support/cifar.js';
import { pictureDefinition, tableDefinition } from './support/definitions.js';
import { writeSnapshot } from './support/snapshot.js';
import type { Row } from './support/snapshot.js';

const { tfjsNode } = loadNativeParts();
const folder = mkdtempSync(join(tmpdir(), 'perennial-train-'));
const COLUMNS = ['a', 'b', 'c'];
let pictures: LocalSnapshot;
let table: LocalSnapshot;
let attempts = 0;

const train = (options: Partial<TrainOptions> & Pick<TrainOptions, 'definition' | 'snapshot'>) =>
  trainInChild({ bundleCode: null, attemptDirectory: join(folder, `attempt-${(attempts += 1)}`), resumeFrom: null, mode: 'full', tfjsNode, ...options });
const failure = (options: Parameters<typeof train>[0]): Promise<unknown> => train(options).then(() => 'no error', (error: unknown) => error);
/** The definition as it is, on the pictures: trained once for the tests that look at it. */
let plain: Promise<Awaited<ReturnType<typeof train>> & { seen: TrainProgress[]; checkpoint: string }> | undefined;
const plainTraining = () => (plain ??= (async () => {
  const seen: TrainProgress[] = [];
  let checkpoint = '';
  const trained = await train({ definition: pictureDefinition(), snapshot: pictures, onProgress: (progress) => { seen.push(progress); }, onCheckpoint: async (directory) => { checkpoint = directory; } });
  return { ...trained, seen, checkpoint };
})());
const weightsOf = (directory: string) => readFileSync(join(directory, 'weights.bin'));

beforeAll(async () => {
  const split = (index: number) => (index % 10 === 0 ? 'test' as const : index % 10 === 1 ? 'validation' as const : 'train' as const);
  pictures = await writeSnapshot(join(folder, 'pictures'), carsAndTrucks(300).map(({ label, png }, index) => ({ key: `p${index + 1000}`, split: split(index), label, png })), { classes: ['car', 'truck'] });
  const prng = Prng.of('table');
  const rows = Array.from({ length: 3000 }, (_, index): Row => {
    const values = COLUMNS.map(() => prng.float() * 100 + 1000);
    return { key: `t${index + 10_000}`, split: split(index), label: (values[0] ?? 0) + (values[1] ?? 0) > 2100 ? 'yes' : 'no', values };
  });
  table = await writeSnapshot(join(folder, 'table'), rows, { classes: ['no', 'yes'], columns: COLUMNS });
}, 60_000);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

describe('training', () => {
  test('on pictures gives a model with everything that belongs to it, and says how far it is', async () => {
    const { modelDirectory, history, seen } = await plainTraining();
    expect(readdirSync(modelDirectory).sort()).toEqual(['environment.json', 'model.json', 'preprocessing.json', 'profile.json', 'signature.json', 'weights.bin']);
    const json = (name: string): unknown => JSON.parse(readFileSync(join(modelDirectory, name), 'utf8'));
    expect(Preprocessing.parse(json('preprocessing.json'))).toMatchObject({ kind: 'image', offset: 0, scale: 1 / 255 });
    expect(Signature.parse(json('signature.json'))).toMatchObject({ inputs: [{ name: 'image', datatype: 'UINT8', shape: [32, 32, 3] }], classes: ['car', 'truck'] });
    expect(TrainingProfile.parse(json('profile.json')).rows).toBe(240);
    expect(EnvironmentLock.parse(json('environment.json'))).toMatchObject({ node: process.version, timeZone: 'UTC', threads: 1 });
    expect(history).toHaveLength(2);
    expect(seen.filter(({ finished }) => finished).map(({ epoch, batch, batches }) => [epoch, batch, batches])).toEqual([[1, 8, 8], [2, 8, 8]]);
    expect(history[1]?.validationAccuracy).toBeGreaterThanOrEqual(0);
  });

  test('on pictures standardised by what they are made of, where the definition says so', async () => {
    const definition = pictureDefinition({ training: { epochs: 1 } });
    if (definition.data.kind !== 'images') throw new TypeError('a definition of pictures was expected');
    const { modelDirectory } = await train({ definition: { ...definition, data: { ...definition.data, image: { ...definition.data.image, normalise: 'standard' } } }, snapshot: pictures });
    const { offset, scale } = z.object({ offset: z.number(), scale: z.number() }).parse(JSON.parse(readFileSync(join(modelDirectory, 'preprocessing.json'), 'utf8')));
    const values = carsAndTrucks(300).flatMap(({ png }, index) => (index % 10 > 1 ? [...decodePicture(png, { height: 32, width: 32, channels: 3 }, '')] : []));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(offset).toBeCloseTo(mean, 3);
    expect(1 / scale).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length), 3);
  });

  test('on a table learns a sum', async () => {
    const definition = tableDefinition(COLUMNS, { training: { epochs: 6, optimizer: { kind: 'adam', learningRate: 0.02 } } });
    const inMemory = await train({ definition, snapshot: table });
    expect(inMemory.history.at(-1)?.validationAccuracy).toBeGreaterThan(0.95);
    const preprocessing = Preprocessing.parse(JSON.parse(readFileSync(join(inMemory.modelDirectory, 'preprocessing.json'), 'utf8')));
    expect(preprocessing.kind === 'columns' && preprocessing.features[0]?.kind === 'number' && preprocessing.features[0].offset).toBeCloseTo(1050, -1);
  });

  test('is quick on request: few rows, few epochs', async () => {
    const seen: TrainProgress[] = [];
    await train({ definition: pictureDefinition({ training: { epochs: 50, quickPass: { rows: 64, epochs: 1 } } }), snapshot: pictures, mode: 'quick', onProgress: (progress) => { seen.push(progress); } });
    expect(seen.at(-1)).toMatchObject({ epochs: 1, batches: 2 });
  });

  test('with the same seed gives the same bytes, with another seed others', async () => {
    const [one, two, other] = await Promise.all([7, 7, 8].map((seed) => train({ definition: pictureDefinition({ training: { seed, epochs: 1 } }), snapshot: pictures })));
    expect(weightsOf(one?.modelDirectory ?? '').equals(weightsOf(two?.modelDirectory ?? ''))).toBe(true);
    expect(weightsOf(one?.modelDirectory ?? '').equals(weightsOf(other?.modelDirectory ?? ''))).toBe(false);
  });

  test('builds the network of a module', async () => {
    const code = 'export default ({ tf, inputShape, classes, hyperparameters, seed }) => tf.sequential({ layers: [tf.layers.flatten({ inputShape: [...inputShape] }), tf.layers.dense({ units: hyperparameters.units, kernelInitializer: tf.initializers.glorotUniform({ seed: seed("d") }) }), tf.layers.dense({ units: classes.length, activation: "softmax" })] });';
    const { parameters } = await train({ definition: pictureDefinition({ network: { module: './network.ts' }, training: { epochs: 1, hyperparameters: { units: 3 } } }), bundleCode: Buffer.from(code), snapshot: pictures });
    expect(parameters).toBe(3072 * 3 + 3 + 3 * 2 + 2);
  });
});

describe('a training that was killed', () => {
  test.each([['adam', { kind: 'adam' as const, learningRate: 0.002 }], ['momentum', { kind: 'sgd' as const, learningRate: 0.01, momentum: 0.9 }]])('and resumed gives the same weights, to the last bit (%s)', async (_name, optimizer) => {
    const definition = pictureDefinition({ training: { epochs: 2, batchSize: 4, optimizer, schedule: 'cosine' } });
    const whole = await train({ definition, snapshot: pictures });
    let pid = 0;
    const checkpoints: string[] = [];
    const error = await failure({
      definition, snapshot: pictures, checkpointEveryMs: 60, onStart: (started) => { pid = started; },
      onCheckpoint: async (directory) => {
        checkpoints.push(directory);
        if (Number(directory.split('-').at(-1)) > 64) process.kill(pid, 'SIGKILL');
      },
    });
    expect(error).toMatchObject({ code: 'training/crashed', retryable: true });
    const last = checkpoints.at(-1) ?? '';
    const resumed = await train({ definition, snapshot: pictures, resumeFrom: last });
    expect(weightsOf(resumed.modelDirectory).equals(weightsOf(whole.modelDirectory))).toBe(true);
    expect(resumed.history).toEqual(whole.history);
  });

  test('does not resume from a checkpoint of another definition', async () => {
    const { checkpoint } = await plainTraining();
    expect(existsSync(checkpoint)).toBe(true);
    const error = await failure({ definition: pictureDefinition({ training: { epochs: 2, batchSize: 16 } }), snapshot: pictures, resumeFrom: checkpoint });
    expect((error as Error).message).toMatch(/belongs to another definition or snapshot/);
  });
});

describe('a training that cannot succeed', () => {
  test('is stopped at the first loss that is not finite, with epoch and batch', async () => {
    const error = await failure({ definition: tableDefinition(COLUMNS, { network: { layers: [layers.dense({ units: 8 }), layers.dense({ units: 2, activation: 'softmax' })] }, training: { optimizer: { kind: 'sgd', learningRate: 1e30 } } }), snapshot: table });
    expect(error).toMatchObject({ code: 'training/not-finite' });
    expect((error as Error).message).toMatch(/became NaN in epoch 1, batch \d+ of 75/);
  });

  test.each([
    ['another number of outputs', [layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })], /shape \[null,3\]; 2 classes need \[null,2\]/],
    ['outputs that are no probabilities', [layers.flatten(), layers.dense({ units: 2 }), { className: 'ReLU' }], /no probabilities.*softmax/],
    ['an unknown layer', [{ className: 'Convolution' }], /network\.layers\[0\]: there is no layer 'Convolution'/],
    ['a layer that does not fit', [layers.flatten(), layers.conv2d({ filters: 2, kernelSize: 3 })], /network\.layers\[1\] \(Conv2D\)/],
  ])('names %s of the network', async (_name, list, message) => {
    const error = await failure({ definition: pictureDefinition({ network: { layers: list } }), snapshot: pictures, mode: 'quick' });
    expect(error).toMatchObject({ code: 'training/network' });
    expect((error as Error).message).toMatch(message);
  });

  test('is killed at its memory limit, also when the memory is not the heap\'s', async () => {
    const code = 'export default ({ tf }) => { const kept = []; for (;;) kept.push(tf.ones([1024, 1024]).add(1)); };';
    const error = await failure({ definition: pictureDefinition({ network: { module: './network.ts' }, training: { limits: { memoryMb: 600 } } }), bundleCode: Buffer.from(code), snapshot: pictures });
    expect(error).toMatchObject({ code: 'training/memory' });
  });

  test('is killed at its time limit', async () => {
    const error = await failure({ definition: pictureDefinition({ network: { module: './network.ts' }, training: { limits: { minutes: 0.05 } } }), bundleCode: Buffer.from('export default () => { for (;;); };'), snapshot: pictures });
    expect(error).toMatchObject({ code: 'training/time' });
  });

  test('names the row of a picture of another size', async () => {
    const data = { kind: 'images' as const, image: { height: 16, width: 16 }, target: { classes: ['car', 'truck'] }, sources: [{ kind: 'image-folder' as const, location: 'pictures', split: 'train' as const }] };
    const content = { ...pictures.manifest.content, image: { name: 'image', height: 16, width: 16, channels: 3 } };
    const error = await failure({ definition: pictureDefinition({ data }), snapshot: { ...pictures, manifest: { ...pictures.manifest, content } } });
    expect(error).toMatchObject({ code: 'data/blocked' });
    expect((error as Error).message).toMatch(/row 'p\d+': the picture is 32 × 32, the definition says 16 × 16/);
  });
});

describe('stopping', () => {
  test('a training stops within 5 s of the signal', async () => {
    const stop = new AbortController();
    let stoppedAt = 0;
    const error = await failure({
      definition: pictureDefinition({ training: { epochs: 1000 } }), snapshot: pictures, signal: stop.signal,
      onProgress: () => {
        if (stoppedAt > 0) return;
        stoppedAt = Date.now();
        stop.abort(new PerennialError('training/crashed', 'superseded'));
      },
    });
    expect((error as Error).message).toBe('superseded');
    expect(Date.now() - stoppedAt).toBeLessThan(5000);
  });

  test('so does one that hangs in the team\'s code', async () => {
    const stop = new AbortController();
    let stoppedAt = 0;
    setTimeout(() => { stoppedAt = Date.now(); stop.abort(); }, 1500);
    const error = await failure({ definition: pictureDefinition({ network: { module: './network.ts' } }), bundleCode: Buffer.from('export default () => { for (;;); };'), snapshot: pictures, signal: stop.signal });
    expect((error as Error).name).toBe('AbortError');
    expect(Date.now() - stoppedAt).toBeLessThan(5000);
  });
});
