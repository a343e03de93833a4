import type { LayersModel, Tensor, TensorFlow } from '../tensorflow.js';
import type { TrainStep } from './fit.js';

/**
 * Sets the weights of least magnitude to 0, the same share of each kernel (tensors of two and more dimensions), and gives the step by which the
 * rest is trained on: after each batch they are 0 again. S. Han et al., "Learning both Weights and Connections for Efficient Neural Networks"
 * (2015); the same share everywhere, so that no layer is cut through.
 */
export function pruning(tf: TensorFlow, model: LayersModel, share: number): TrainStep {
  const kernels = model.trainableWeights.filter(({ shape }) => shape.length >= 2).map((weight) => ({ weight, kept: tf.tensor(keptOf(weight.read().dataSync<'float32'>(), share), weight.read().shape, 'bool') }));
  const cut = () => {
    for (const { weight, kept } of kernels) tf.tidy(() => { weight.write(tf.where(kept, weight.read(), tf.zerosLike(weight.read()))); });
  };
  cut();
  return async (inputs: Tensor, labels: Tensor) => {
    const figures = (await model.trainOnBatch(inputs, labels)) as number[];
    cut();
    return figures;
  };
}

/** 1 for each weight that stays: all but the `share` of least magnitude, of equal ones the first. */
export function keptOf(values: Float32Array, share: number): Uint8Array {
  const goes = Math.floor(values.length * share);
  const magnitudes = values.map(Math.abs);
  const threshold = magnitudes.toSorted()[goes] ?? Infinity;
  let equal = goes - magnitudes.reduce((count, magnitude) => count + (magnitude < threshold ? 1 : 0), 0);
  return Uint8Array.from(magnitudes, (magnitude) => {
    if (magnitude === threshold && equal > 0) {
      equal -= 1;
      return 0;
    }
    return magnitude < threshold ? 0 : 1;
  });
}
