import type { Preprocessing, Signature } from '../contract/package.js';
import type { Outputs } from '../domain/outputs.js';
import type { AnyTensorFlow, Network } from './network.js';
import { createPreprocessor, targetScaling } from './preprocess.js';
import type { Preprocessor } from './preprocess.js';
import type { Tensor } from './tensorflow.js';

/** A network with the preprocessing that belongs to it: what servers, evaluation and exported packages predict with. */
export interface Predictor {
  readonly preprocessor: Preprocessor;
  /** Of the tensors of `rows` rows: the network's own outputs, for the caller to dispose of. */
  readonly forward: (inputs: Float32Array, rows: number) => Tensor;
  /** From these numbers to probabilities `rows × classes`, or one value each in the target's own unit. */
  readonly outputsOf: (numbers: Float32Array) => Outputs;
}

export function createPredictor(tf: AnyTensorFlow, network: Network, { signature, preprocessing }: { readonly signature: Signature; readonly preprocessing: Preprocessing }): Predictor {
  const preprocessor = createPreprocessor(preprocessing);
  return {
    preprocessor,
    forward: (inputs, rows) => tf.tidy(() => network.run(tf.tensor(inputs, [rows, ...preprocessor.shape]))),
    outputsOf: signature.task === 'regression' ? unscaler(preprocessing) : (probabilities) => probabilities,
  };
}

/** From what the network gives back to the target's unit, in doubles: a large offset must not cost digits. */
function unscaler(preprocessing: Preprocessing): (outputs: Float32Array) => Float64Array {
  const { offset, scale } = targetScaling(preprocessing) ?? { offset: 0, scale: 1 };
  return (outputs) => Float64Array.from(outputs, (output) => output / scale + offset);
}
