import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Preprocessing, Signature } from '../contract/package.js';
import { createPreprocessor, targetScaling } from './preprocess.js';
import type { Preprocessor, RawRows } from './preprocess.js';
import type { Outputs } from '../domain/outputs.js';
import type { LayersModel, Tensor, TensorFlow } from './tensorflow.js';

export interface LoadedModel {
  readonly signature: Signature;
  readonly preprocessing: Preprocessing;
  readonly preprocessor: Preprocessor;
  /** Of `rows` raw rows: probabilities `rows × classes`, or one value each in the target's own unit. */
  readonly predict: (raw: RawRows, rows: number) => Outputs;
}

/** Loads the model in a model directory or a package: network, weights, and the preprocessing that belongs to them. */
export async function loadModel(tf: TensorFlow, directory: string): Promise<LoadedModel> {
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(directory, name), 'utf8')) as unknown;
  const preprocessing = Preprocessing.parse(await json('preprocessing.json'));
  const signature = Signature.parse(await json('signature.json'));
  const network = await loadNetwork(tf, directory);
  const preprocessor = createPreprocessor(preprocessing);
  const forward = forwardPass(tf, network);
  const valuesOf = signature.task === 'regression' ? unscaler(preprocessing) : (probabilities: Float32Array) => probabilities;
  let inputs = new Float32Array(0);
  return {
    signature, preprocessing, preprocessor,
    predict: (raw, rows) => {
      const length = rows * preprocessor.width;
      if (inputs.length < length) inputs = new Float32Array(length);
      preprocessor.apply(raw, 0, rows, inputs, 0);
      return valuesOf(tf.tidy(() => forward(tf.tensor(inputs.subarray(0, length), [rows, ...preprocessor.shape])).dataSync() as Float32Array));
    },
  };
}

/** From what the network gives back to the target's unit, in doubles: a large offset must not cost digits. */
function unscaler(preprocessing: Preprocessing): (outputs: Float32Array) => Float64Array {
  const { offset, scale } = targetScaling(preprocessing) ?? { offset: 0, scale: 1 };
  return (outputs) => Float64Array.from(outputs, (output) => output / scale + offset);
}

/** A sequential network is called layer by layer: `predict` slices and joins around that, which a single row feels. */
function forwardPass(tf: TensorFlow, network: LayersModel): (inputs: Tensor) => Tensor {
  if (!(network instanceof tf.Sequential)) return (inputs) => network.predictOnBatch(inputs) as Tensor;
  return (inputs) => network.layers.reduce((tensor, layer) => layer.apply(tensor, { training: false }) as Tensor, inputs);
}

async function loadNetwork(tf: TensorFlow, directory: string): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as { modelTopology: object; weightsManifest: { weights: never[] }[] };
  const weights = await readFile(join(directory, 'weights.bin'));
  return tf.loadLayersModel(tf.io.fromMemory({
    modelTopology, weightSpecs: weightsManifest[0]?.weights ?? [], weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  }));
}
