import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Weights } from '../../domain/weights.js';
import type { Artifacts } from '../../stores/artifacts.js';
import type { Candidate } from '../train/candidate.js';

/** What TensorFlow.js writes about the tensors of `weights.bin`. */
const ModelJson = z.looseObject({ weightsManifest: z.array(z.looseObject({ weights: z.array(z.looseObject({ name: z.string(), shape: z.array(z.int()), dtype: z.string() })) })) });

export async function fetchRebuilt(artifacts: Artifacts, { files }: Candidate, directory: string): Promise<void> {
  for (const { path, ref } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await artifacts.getToFile(ref, join(directory, path));
  }
}

/** The weights in a model directory or a package. */
export async function loadWeights(directory: string): Promise<Weights> {
  const { weightsManifest } = ModelJson.parse(JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')));
  return { specs: weightsManifest.flatMap(({ weights }) => weights), bytes: await readFile(join(directory, 'weights.bin')) };
}
