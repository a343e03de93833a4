import { outputsPerRow } from '../../domain/outputs.js';
import type { LoadedModel } from '../load-model.js';
import { targetScaling } from '../preprocess.js';
import type { Tensor, TensorFlow } from '../tensorflow.js';
import type { GradientSum } from './integrated-gradients.js';

/** The gradients of an output, by its place. */
export type Gradients = (target: number) => GradientSum;

/** Gradients of an output: of a probability, or of a value in the target's unit. Null where TensorFlow.js cannot follow the network back: a graph, a SavedModel, or a layer without a gradient. */
export function createGradients(tf: TensorFlow, { network: { traced }, preprocessor, preprocessing, signature }: LoadedModel): Gradients | null {
  if (!traced) return null;
  const outputs = outputsPerRow(signature);
  const unit = 1 / (targetScaling(preprocessing)?.scale ?? 1);
  const gradients: Gradients = (target) => (tensors, rows) => tf.tidy(() => {
    const back = tf.grad((given: Tensor) => tf.sum(tf.slice(tf.reshape(traced(given), [rows, outputs]), [0, target], [rows, 1])));
    const summed = tf.sum(tf.reshape(back(tf.tensor(tensors, [rows, ...preprocessor.shape])), [rows, preprocessor.width]), 0);
    return (summed.dataSync() as Float32Array).map((value) => value * unit);
  });
  try {
    gradients(0)(new Float32Array(preprocessor.width), 1);
    return gradients;
  } catch {
    return null; // TensorFlow.js says so only when it is asked
  }
}
