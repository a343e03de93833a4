import { z } from 'zod';
import { PerennialError } from '../../contract/errors.js';
import type { Ref } from '../../contract/ref.js';
import type { Quantized } from '../../definition/compression.js';
import { quantizeWeights } from '../../domain/quantize.js';
import type { Artifacts } from '../../stores/artifacts.js';
import type { Candidate } from '../train/candidate.js';

/** What TensorFlow.js writes about the tensors of `weights.bin`. */
const ModelJson = z.looseObject({ weightsManifest: z.array(z.looseObject({ weights: z.array(z.looseObject({ name: z.string(), shape: z.array(z.int()), dtype: z.string() })) })) });

/** The same network with its weights in fewer bits. The same candidate gives the same bytes, which are stored once. */
export async function quantizeCandidate(artifacts: Artifacts, { files }: Candidate, form: Quantized): Promise<Candidate> {
  const [model, weights] = [fileOf(files, 'model.json'), fileOf(files, 'weights.bin')];
  const { weightsManifest, ...rest } = ModelJson.parse(JSON.parse(new TextDecoder().decode(await artifacts.get(model))));
  const quantized = quantizeWeights({ specs: weightsManifest.flatMap((group) => group.weights), bytes: await artifacts.get(weights) }, form);
  const text = JSON.stringify({ ...rest, weightsManifest: [{ paths: ['weights.bin'], weights: quantized.specs }] });
  const made: Readonly<Record<string, Ref>> = { 'model.json': await artifacts.putBlob(new TextEncoder().encode(text)), 'weights.bin': await artifacts.putBlob(quantized.bytes) };
  return { files: files.map(({ path, ref }) => ({ path, ref: made[path] ?? ref })) };
}

export function fileOf(files: Candidate['files'], path: string): Ref {
  const found = files.find((file) => file.path === path);
  if (!found) throw new PerennialError('training/network', `the candidate has no ${path}: only networks of TensorFlow.js can be compressed`);
  return found.ref;
}
