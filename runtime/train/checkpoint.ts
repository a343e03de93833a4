import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type * as TF from '@tensorflow/tfjs-node';
import { z } from 'zod';
import { EpochFigures } from '../../contract/frames.js';
import { PerennialError } from '../../contract/errors.js';
import { Sha256 } from '../../contract/ref.js';
import type { LayersModel, TensorFlow, Tensor } from '../tensorflow.js';

const TensorEntry = z.strictObject({ name: z.string(), dtype: z.enum(['float32', 'int32', 'bool']), shape: z.array(z.int()) });

/** Where a training is, and everything its next batch depends on besides the tensors. */
export const TrainingState = z.strictObject({
  v: z.literal(1),
  trainingDigest: Sha256.describe('of the definition and the snapshot that it belongs to'),
  epoch: z.int().min(1), batch: z.int().min(0),
  lossSum: z.number(), accuracySum: z.number().describe('of the metric that is shown beside the loss; in the network\'s unit'), rowsSeen: z.int(),
  history: z.array(EpochFigures),
  /** State of the generator that stands in for Math.random: dropout draws from it. */
  random: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  /** Adam's running powers of beta. TensorFlow would compute them anew, not to the last bit. */
  adam: z.strictObject({ accBeta1: z.number(), accBeta2: z.number() }).nullable(),
});
export type TrainingState = z.infer<typeof TrainingState>;

const Manifest = z.strictObject({
  v: z.literal(1), files: z.record(z.string(), Sha256), weights: z.array(TensorEntry), optimizer: z.array(TensorEntry), state: TrainingState,
});

interface AdamInternals { accBeta1: TF.Variable; accBeta2: TF.Variable }
function adamOf(model: LayersModel): AdamInternals | null {
  const optimizer = model.optimizer as unknown as Partial<AdamInternals>;
  return optimizer.accBeta1 && optimizer.accBeta2 ? { accBeta1: optimizer.accBeta1, accBeta2: optimizer.accBeta2 } : null;
}

/**
 * Writes `<directory>/checkpoint-<n>`, n being all batches so far: to a temporary folder that is renamed when complete, so
 * that a checkpoint is whole or not there.
 */
export async function saveCheckpoint(directory: string, number: number, model: LayersModel, state: Omit<TrainingState, 'adam' | 'v'>): Promise<string> {
  const target = join(directory, `checkpoint-${number}`);
  const temporary = `${target}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const weights = pack(model.getWeights().map((tensor, index) => ({ name: model.weights[index]?.originalName ?? String(index), tensor })));
  const optimizer = pack(await model.optimizer.getWeights());
  const adam = adamOf(model);
  const files = { 'weights.bin': weights.bytes, 'optimizer.bin': optimizer.bytes };
  const digests: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(files)) {
    await writeDurably(join(temporary, name), bytes);
    digests[name] = createHash('sha256').update(bytes).digest('hex');
  }
  const manifest: z.infer<typeof Manifest> = {
    v: 1, files: digests, weights: weights.entries, optimizer: optimizer.entries,
    state: { v: 1, ...state, adam: adam && { accBeta1: adam.accBeta1.dataSync()[0] ?? 0, accBeta2: adam.accBeta2.dataSync()[0] ?? 0 } },
  };
  await writeDurably(join(temporary, 'manifest.json'), Buffer.from(JSON.stringify(manifest)));
  await rm(target, { recursive: true, force: true });
  await rename(temporary, target);
  return target;
}

/** Puts a checkpoint's tensors into a model that was compiled alike, and gives its state. Damaged files are `storage/digest-mismatch`. */
export async function loadCheckpoint(tf: TensorFlow, directory: string, model: LayersModel): Promise<TrainingState> {
  const manifest = Manifest.parse(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')));
  const read = async (name: string) => {
    const bytes = await readFile(join(directory, name));
    if (createHash('sha256').update(bytes).digest('hex') !== manifest.files[name]) throw new PerennialError('storage/digest-mismatch', `${join(directory, name)} does not match its digest`);
    return bytes;
  };
  const weights = unpack(tf, manifest.weights, await read('weights.bin'));
  model.setWeights(weights.map(({ tensor }) => tensor));
  await model.optimizer.setWeights(unpack(tf, manifest.optimizer, await read('optimizer.bin')));
  tf.dispose(weights.map(({ tensor }) => tensor));
  const adam = adamOf(model);
  const saved = manifest.state.adam;
  if (adam && saved) {
    tf.tidy(() => {
      adam.accBeta1.assign(tf.scalar(saved.accBeta1));
      adam.accBeta2.assign(tf.scalar(saved.accBeta2));
    });
  }
  return manifest.state;
}

interface Named { readonly name: string; readonly tensor: Tensor }

function pack(tensors: readonly Named[]): { bytes: Buffer; entries: z.infer<typeof TensorEntry>[] } {
  const parts = tensors.map(({ tensor }) => {
    const values = tensor.dataSync();
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  });
  return { bytes: Buffer.concat(parts), entries: tensors.map(({ name, tensor }) => TensorEntry.parse({ name, dtype: tensor.dtype, shape: tensor.shape })) };
}

function unpack(tf: TensorFlow, entries: readonly z.infer<typeof TensorEntry>[], bytes: Buffer): Named[] {
  let at = 0;
  return entries.map(({ name, dtype, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const part = Uint8Array.from(bytes.subarray(at, at + length * (dtype === 'bool' ? 1 : 4))).buffer;
    at += part.byteLength;
    const values = dtype === 'float32' ? new Float32Array(part) : dtype === 'int32' ? new Int32Array(part) : new Uint8Array(part);
    return { name, tensor: tf.tensor(values, shape, dtype) };
  });
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
