import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Weights } from '../../domain/weights.js';

const Quantization = z.discriminatedUnion('dtype', [
  z.looseObject({ dtype: z.literal('float16'), original_dtype: z.literal('float32') }), z.looseObject({ dtype: z.literal('uint8'), original_dtype: z.literal('float32'), scale: z.number(), min: z.number() }),
]);
/** What TensorFlow.js writes about the tensors of `weights.bin`. */
const ModelJson = z.looseObject({ weightsEncoding: z.literal('gzip').optional(), weightsManifest: z.array(z.looseObject({ weights: z.array(z.looseObject({ name: z.string(), shape: z.array(z.int()), dtype: z.string(), quantization: Quantization.optional() })) })) });

/** The weights in a model directory or a package. */
export async function loadWeights(directory: string): Promise<Weights> {
  const { weightsManifest, weightsEncoding } = ModelJson.parse(JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')));
  const bytes = await readFile(join(directory, 'weights.bin'));
  return { specs: weightsManifest.flatMap(({ weights }) => weights), bytes: weightsEncoding === 'gzip' ? gunzipSync(bytes) : bytes };
}
