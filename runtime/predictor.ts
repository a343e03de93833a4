import type { Preprocessing, Signature } from '../contract/package.js';
import type { Outputs } from '../domain/outputs.js';
import { createPreprocessor, targetScaling } from './preprocess.js';
import type { Preprocessor } from './preprocess.js';
import type { LayersModel, Tensor, TensorFlow } from './tensorflow.js';

/** What predicting needs of TensorFlow: tfjs-node has it, and so has TensorFlow.js in a browser. */
export type AnyTensorFlow = Pick<TensorFlow, 'Sequential' | 'io' | 'loadLayersModel' | 'tensor' | 'tidy'>;

/** `model.json` of a package: the network, and what lies where in `weights.bin`. */
export interface NetworkFile { readonly modelTopology: object; readonly weightsManifest: readonly { readonly weights: never[] }[] }

export interface PredictorParts { readonly signature: Signature; readonly preprocessing: Preprocessing; readonly network: NetworkFile; readonly weights: Uint8Array }

/** A network with the preprocessing that belongs to it: what servers, evaluation and exported packages predict with. */
export interface Predictor {
  readonly preprocessor: Preprocessor;
  /** Of the tensors of `rows` rows: the network's own outputs, for the caller to dispose of. */
  readonly forward: (inputs: Float32Array, rows: number) => Tensor;
  /** From these numbers to probabilities `rows × classes`, or one value each in the target's own unit. */
  readonly outputsOf: (numbers: Float32Array) => Outputs;
  readonly dispose: () => void;
}

export async function createPredictor(tf: AnyTensorFlow, { signature, preprocessing, network: { modelTopology, weightsManifest }, weights }: PredictorParts): Promise<Predictor> {
  const network = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0]?.weights ?? [], weightData: bufferOf(weights) }));
  const preprocessor = createPreprocessor(preprocessing);
  const run = forwardPass(tf, network);
  return {
    preprocessor,
    forward: (inputs, rows) => tf.tidy(() => run(tf.tensor(inputs, [rows, ...preprocessor.shape]))),
    outputsOf: signature.task === 'regression' ? unscaler(preprocessing) : (probabilities) => probabilities,
    dispose: () => { network.dispose(); },
  };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** From what the network gives back to the target's unit, in doubles: a large offset must not cost digits. */
function unscaler(preprocessing: Preprocessing): (outputs: Float32Array) => Float64Array {
  const { offset, scale } = targetScaling(preprocessing) ?? { offset: 0, scale: 1 };
  return (outputs) => Float64Array.from(outputs, (output) => output / scale + offset);
}

/** A sequential network is called layer by layer: `predict` slices and joins around that, which a single row feels. */
function forwardPass(tf: AnyTensorFlow, network: LayersModel): (inputs: Tensor) => Tensor {
  if (!(network instanceof tf.Sequential)) return (inputs) => network.predictOnBatch(inputs) as Tensor;
  return (inputs) => network.layers.reduce((tensor, layer) => layer.apply(tensor, { training: false }) as Tensor, inputs);
}
