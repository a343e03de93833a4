import type { Optimizer as OptimizerSpec } from '../../definition/training.js';
import type { Optimizer, TensorFlow } from '../tensorflow.js';

export function createOptimizer(tf: TensorFlow, spec: OptimizerSpec): Optimizer {
  switch (spec.kind) {
    case 'adam': return tf.train.adam(spec.learningRate, spec.beta1, spec.beta2);
    case 'rmsprop': return tf.train.rmsprop(spec.learningRate, spec.decay);
    case 'sgd': return spec.momentum === 0 ? tf.train.sgd(spec.learningRate) : tf.train.momentum(spec.learningRate, spec.momentum);
  }
}
