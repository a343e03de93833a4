import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../../cli/git.js';

export const MODEL = 'bench-loop';

/** A git repository with one small model; each commit changes its training's seed, so that each trains. */
export interface ModelRepository { readonly folder: string; commit(seed: number): Promise<string> }

/** @param define the definition for a seed; the smallest one unless told */
export async function createModelRepository(folder: string, define: (seed: number) => string = definition): Promise<ModelRepository> {
  await mkdir(folder, { recursive: true });
  await git(folder, 'init', '--quiet', '--initial-branch', 'main');
  await git(folder, 'config', 'user.name', 'Bench');
  await git(folder, 'config', 'user.email', 'bench@example.com');
  return {
    folder,
    async commit(seed) {
      await writeFile(join(folder, 'bench.model.ts'), define(seed));
      await git(folder, 'add', '--all');
      await git(folder, 'commit', '--quiet', '--message', `Seed ${seed}`);
      return git(folder, 'rev-parse', 'HEAD');
    },
  };
}

/** Real pictures and the smallest network that is one: what is left of a run's time is the loop's. Every gate passes. */
function definition(seed: number): string {
  return `import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1,
  name: '${MODEL}',
  owner: { name: 'Bench', email: 'bench@example.com' },
  purpose: 'Measures the loop around a training that takes no time.',
  data: {
    kind: 'images',
    image: { height: 32, width: 32, channels: 3 },
    target: { classes: ['car', 'truck'] },
    sources: [
      { kind: 'image-folder', location: 'pictures', path: 'train', split: 'train' },
      { kind: 'image-folder', location: 'pictures', path: 'test', split: 'test' },
    ],
  },
  network: { layers: [layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, activation: 'relu' }), layers.flatten(), layers.dense({ units: 2, activation: 'softmax' })] },
  training: { optimizer: { kind: 'adam', learningRate: 1e-3 }, epochs: 2, batchSize: 32, seed: ${seed} },
  evaluation: { gates: [{ kind: 'at-least', name: 'any', metric: 'accuracy', threshold: 0 }] },
  testEnvironment: { rows: 50, p99Ms: 5000, load: { seconds: 1, connections: 2 } },
});
`;
}
