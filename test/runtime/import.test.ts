import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { ModelFormat } from '../../contract/imported.js';
import { Preprocessing } from '../../contract/package.js';
import { loadNativeParts } from '../../infra/native.js';
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
