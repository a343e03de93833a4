import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Preprocessing, Signature } from '../contract/package.js';
import { compileNetwork } from './compile/compile-network.js';
import type { Compiled } from './compile/compile-network.js';
import { createPredictor } from './predictor.js';
import { hasSavedModel, openStoredNetwork } from './stored-network.js';
import type { Network } from './network.js';
import { createPreprocessor } from './preprocess.js';
import type { Preprocessor, RawRows } from './preprocess.js';
import type { Outputs } from '../domain/outputs.js';
import type { TensorFlow } from './tensorflow.js';

export interface LoadedModel {
  readonly signature: Signature;
  readonly preprocessing: Preprocessing;
  readonly preprocessor: Preprocessor;
  /** Of `rows` raw rows: probabilities `rows × classes`, or one value each in the target's own unit. */
  readonly predict: (raw: RawRows, rows: number) => Outputs;
  /** The same, of tensors of the network: `rows × width` numbers. */
  readonly predictTensors: (inputs: Float32Array, rows: number) => Outputs;
  readonly network: Network;
  /** Why the network was not compiled, though it should be. */
  readonly uncompiled: string | null;
}

/** Loads the model in a model directory or a package as it is served: its network compiled, where it can be. */
export async function loadServedModel(tf: TensorFlow, directory: string): Promise<LoadedModel> {
  // TensorFlow runs a SavedModel as a whole already.
  return load(tf, directory, (network, shape) => (hasSavedModel(directory) ? asItIs(network) : compileNetwork(tf, network, shape)));
}

/** Loads the model in a model directory or a package: network, weights, and the preprocessing that belongs to them. */
export async function loadModel(tf: TensorFlow, directory: string): Promise<LoadedModel> {
  return load(tf, directory, asItIs);
}

const asItIs = (network: Network): Promise<Compiled> => Promise.resolve({ network, why: null });

async function load(tf: TensorFlow, directory: string, prepare: (network: Network, shape: readonly number[]) => Promise<Compiled>): Promise<LoadedModel> {
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(directory, name), 'utf8')) as unknown;
  const preprocessing = Preprocessing.parse(await json('preprocessing.json'));
  const signature = Signature.parse(await json('signature.json'));
  const { network, why } = await prepare(await openStoredNetwork(tf, directory), createPreprocessor(preprocessing).shape);
  const { preprocessor, forward, outputsOf } = createPredictor(tf, network, { signature, preprocessing });
  const predictTensors = (tensors: Float32Array, rows: number) => outputsOf(tf.tidy(() => forward(tensors, rows).dataSync() as Float32Array));
  let inputs = new Float32Array(0);
  return {
    signature, preprocessing, preprocessor, network, predictTensors, uncompiled: why,
    predict: (raw, rows) => {
      const length = rows * preprocessor.width;
      if (inputs.length < length) inputs = new Float32Array(length);
      preprocessor.apply(raw, 0, rows, inputs, 0);
      return predictTensors(inputs.subarray(0, length), rows);
    },
  };
}
