import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalSnapshot, TrainProgress } from '../../contract/frames.js';
import { loadNativeParts } from '../../infra/native.js';
import { trainInChild } from '../../runtime/train/train.js';
import { carsAndTrucks } from './support/cifar.js';
import { pictureDefinition } from './support/definitions.js';
import { writeSnapshot } from './support/snapshot.js';

const { tfjsNode } = loadNativeParts();
const folder = mkdtempSync(join(tmpdir(), 'perennial-train-'));
let pictures: LocalSnapshot;

beforeAll(async () => {
  const rows = carsAndTrucks(400).map(({ label, png }, index) => ({ key: `p${String(index).padStart(4, '0')}`, split: index % 10 === 0 ? 'test' as const : index % 10 === 1 ? 'validation' as const : 'train' as const, label, png }));
  pictures = await writeSnapshot(join(folder, 'snapshot'), rows, { classes: ['car', 'truck'] });
});
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

describe('training on pictures', () => {
  test('gives a model with everything that belongs to it', async () => {
    const seen: TrainProgress[] = [];
    const trained = await trainInChild({ definition: pictureDefinition(), bundleCode: null, snapshot: pictures, attemptDirectory: join(folder, 'a'), resumeFrom: null, mode: 'full', tfjsNode, onProgress: (p) => { seen.push(p); } });
    expect(trained.history).toHaveLength(2);
    console.log(trained, seen.at(-1), readFileSync(join(trained.modelDirectory, 'environment.json'), 'utf8'), readFileSync(join(trained.modelDirectory, 'profile.json'), 'utf8'));
  });
});
