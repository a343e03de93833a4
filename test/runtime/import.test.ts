import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { ModelFormat } from '../../contract/imported.js';
import { Preprocessing } from '../../contract/package.js';
import { loadNativeParts } from '../../infra/native.js';
import { Compression } from '../../definition/compression.js';
import { layers } from '../../definition/define.js';
import { obstacleTo } from '../../domain/compressible.js';
import { quantizeWeights } from '../../domain/quantize.js';
import type { WeightSpec } from '../../domain/weights.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import { startRunner } from '../../runtime/runner/start.js';
import { trainInChild } from '../../runtime/train/train.js';
import { tableDefinition } from './support/definitions.js';
import { MATRIX, probabilitiesOf, writeGraphModel, writeLayersModel, writeSavedModel } from './support/networks.js';
import { sealPackage } from './support/package.js';
import { writeSnapshot } from './support/snapshot.js';

const { tfjsNode } = loadNativeParts();
const COLUMNS = ['a', 'b'];
const definition = tableDefinition(COLUMNS, { features: COLUMNS.map((column) => ({ kind: 'number', column, scale: 'none' })) });
const ROW = [0.75, -2] as const;

let folder: string;
let snapshot: LocalSnapshot;
let attempts = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-import-'));
  const rows = Array.from({ length: 12 }, (_, index) => ({ key: `k${index}`, split: index % 3 ? 'train' as const : 'test' as const, label: index % 2 ? 'yes' : 'no', values: [index, -index] }));
  snapshot = await writeSnapshot(join(folder, 'snapshot'), rows, { classes: ['no', 'yes'], columns: COLUMNS, shards: 1 });
});
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const importAs = async (format: ModelFormat, directory: string) => {
  attempts += 1;
  return (await trainInChild({ definition, snapshot, bundleCode: null, attemptDirectory: join(folder, `attempt-${attempts}`), resumeFrom: null, mode: 'full', tfjsNode, imported: { format, directory } })).modelDirectory;
};
const given = (name: string) => join(folder, name);

test.each([['tfjs-layers', writeLayersModel], ['tfjs-graph', writeGraphModel], ['saved-model', writeSavedModel]] as const)('a network of the form %s becomes a package that a runner loads, checks and predicts with', async (format, write) => {
  const modelDirectory = await importAs(format, write(given(format)));
  expect(readdirSync(modelDirectory).sort()).toEqual(['environment.json', ...(format === 'saved-model' ? [] : ['model.json']), 'preprocessing.json', 'profile.json', ...(format === 'saved-model' ? ['saved_model'] : []), 'signature.json', ...(format === 'saved-model' ? [] : ['weights.bin'])]);
  expect(Preprocessing.parse(JSON.parse(readFileSync(join(modelDirectory, 'preprocessing.json'), 'utf8')))).toMatchObject({ kind: 'columns', features: [{ column: 'a', scale: 1 }, { column: 'b', scale: 1 }] });

  const probabilities = probabilitiesOf(ROW);
  const directory = given(`package-of-${format}`);
  mkdirSync(directory);
  cpSync(modelDirectory, directory, { recursive: true });
  sealPackage(directory, { v: 1, rows: [{ key: 'k', input: [...ROW], probabilities, class: probabilities[0] > 0.5 ? 'no' : 'yes' }] });
  const runner = await startRunner({ packageDirectory: directory, tfjsNode }); // it has replayed the golden row when this resolves
  try {
    expect(runner.uncompiled).toBeNull();
    const [first, second, third, fourth] = await runner.predict({ rows: 2, input: [[3, 1], [...ROW]] });
    expect([first, second]).toEqual(probabilitiesOf([3, 1]).map((value) => expect.closeTo(value, 5) as number));
    expect([third, fourth]).toEqual(probabilities.map((value) => expect.closeTo(value, 5) as number));
  } finally {
    await runner.close();
  }
});

test('a network that does not fit the definition is refused: what was expected, and what was found', async () => {
  await expect(importAs('tfjs-layers', writeLayersModel(given('wide'), { config: { batch_input_shape: [null, 3] } }, [1, 2, 3, 4, 5, 6], [3, 2]))).rejects.toMatchObject({ code: 'import/signature', message: expect.stringMatching(/input is \S+ \[n, 3\]; the definition's data and features give \[n, 2\]/) as string });
  await expect(importAs('tfjs-layers', writeLayersModel(given('one'), { config: { units: 1 } }, [1, 2], [2, 1]))).rejects.toMatchObject({ code: 'import/signature', message: 'of 2 rows the network gives [2, 1]; the definition\'s target needs [2, 2]' });
  await expect(importAs('tfjs-layers', writeLayersModel(given('logits'), { config: { activation: 'linear' } }, MATRIX))).rejects.toMatchObject({ code: 'import/signature', message: expect.stringContaining('are no probabilities (they sum to 0.000)') as string });
});

test('layers and operations that are not known are named', async () => {
  await expect(importAs('tfjs-layers', writeLayersModel(given('custom'), { class_name: 'TeamsOwnLayer' }))).rejects.toMatchObject({ code: 'import/unreadable', message: expect.stringContaining('TensorFlow.js does not have: TeamsOwnLayer.') as string });
  await expect(importAs('tfjs-graph', writeGraphModel(given('operation'), 'TeamsOwnOp'))).rejects.toMatchObject({ code: 'import/unreadable', message: expect.stringContaining('TeamsOwnOp') as string });
  const incomplete = writeLayersModel(given('incomplete'));
  rmSync(join(incomplete, 'b.bin'));
  await expect(importAs('tfjs-layers', incomplete)).rejects.toMatchObject({ code: 'import/unreadable', message: 'model.json names b.bin, which was not given' });
});

test('an imported network is compressed as far as its form allows', async () => {
  const { variants: [sparse, student] } = Compression.parse({ variants: [{ kind: 'prune', name: 'sparse', share: 0.5, epochs: 1 }, { kind: 'distil', name: 'student', network: { layers: [layers.dense({ units: 2, activation: 'softmax' })] }, epochs: 1 }], allow: { lost: 0.1 } });
  if (typeof sparse !== 'object' || typeof student !== 'object') throw new TypeError('two variants that are trained');
  const full = { 'tfjs-layers': await importAs('tfjs-layers', writeLayersModel(given('whole-layers'))), 'tfjs-graph': await importAs('tfjs-graph', writeGraphModel(given('whole-graph'))), 'saved-model': await importAs('saved-model', writeSavedModel(given('whole-saved'))) };
  const smaller = async (variant: typeof sparse, format: keyof typeof full) => {
    attempts += 1;
    return (await trainInChild({ definition, snapshot, bundleCode: null, attemptDirectory: join(folder, `attempt-${attempts}`), resumeFrom: null, mode: 'full', tfjsNode, variant: { variant, full: full[format] } })).modelDirectory;
  };
  const cut = readFileSync(join(await smaller(sparse, 'tfjs-layers'), 'weights.bin'));
  expect([...new Float32Array(cut.buffer.slice(cut.byteOffset, cut.byteOffset + 16))].filter((value) => value === 0)).toHaveLength(2);
  for (const format of ['tfjs-graph', 'saved-model'] as const) {
    expect(obstacleTo(sparse, format)).toContain('has no layers that could be pruned');
    expect(readdirSync(await smaller(student, format))).toEqual(expect.arrayContaining(['model.json', 'weights.bin']));
  }
  expect([obstacleTo('uint8', 'tfjs-graph'), obstacleTo(student, 'saved-model'), obstacleTo('float16', 'saved-model')]).toEqual([null, null, expect.stringContaining('convert it to a graph model') as string]);

  const [modelFile, weightsFile] = [join(full['tfjs-graph'], 'model.json'), join(full['tfjs-graph'], 'weights.bin')];
  const before = await evaluateInChild({ modelDirectory: full['tfjs-graph'], snapshot, tfjsNode });
  const { weightsManifest: [group], ...rest } = JSON.parse(readFileSync(modelFile, 'utf8')) as { weightsManifest: [{ weights: WeightSpec[] }] };
  const quantized = quantizeWeights({ specs: group.weights, bytes: readFileSync(weightsFile) }, 'uint8');
  writeFileSync(modelFile, JSON.stringify({ ...rest, weightsManifest: [{ weights: quantized.specs }] }));
  writeFileSync(weightsFile, quantized.bytes);
  expect(quantized.bytes.byteLength).toBe(4);
  expect((await evaluateInChild({ modelDirectory: full['tfjs-graph'], snapshot, tfjsNode })).predicted).toEqual(before.predicted);
}, 120_000);
