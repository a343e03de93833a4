import type { TrainedVariant } from '../../definition/compression.js';
import type { ModelDefinition } from '../../definition/model.js';
import type { Loss } from '../../definition/training.js';
import type { Network } from '../network.js';
import type { LayersModel, Tensor, TensorFlow } from '../tensorflow.js';
import type { TrainStep } from './fit.js';

/** Below this a probability has no logarithm that a 32-bit float could be trained by. */
const LEAST = 1e-7;

interface Lesson {
  readonly tf: TensorFlow; readonly student: LayersModel; readonly teacher: Network;
  readonly definition: Pick<ModelDefinition, 'data' | 'training'>; readonly variant: Extract<TrainedVariant, { kind: 'distil' }>;
}

/** Loss and metric of outputs beside the labels and what the teacher says. */
type Judge = (labels: Tensor, outputs: Tensor, taught: Tensor) => { readonly loss: Tensor; readonly metric: Tensor };

/**
 * The step by which a network learns what another one answers. Of classes the loss is `(1 - teacher) * H(label, p) + teacher * T² * H(q^(1/T), p^(1/T))`
 * with cross-entropies H and probabilities brought to the temperature T: G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural
 * Network" (2015). Of a number it is the training's own loss against the label and against the teacher's value, weighted alike.
 */
export function distillation({ tf, student, teacher, definition: { data: { target }, training }, variant }: Lesson): TrainStep {
  const judge = target.task === 'regression' ? ofValues(tf, training.loss ?? { kind: 'meanSquaredError' }, variant) : ofClasses(tf, target.classes.length, variant);
  return async (inputs, labels) => {
    const taught = tf.tidy(() => teacher.run(inputs));
    let metric: Tensor | null = null;
    const variables = student.trainableWeights.map((weight) => weight.read() as ReturnType<TensorFlow['variable']>);
    const loss = student.optimizer.minimize(() => {
      const judged = judge(labels, student.apply(inputs, { training: true }) as Tensor, taught);
      metric = tf.keep(judged.metric);
      return student.calculateLosses().reduce<Tensor>((sum, penalty) => tf.add(sum, penalty), judged.loss).asScalar();
    }, true, variables);
    const figures = [...await loss?.data() ?? [], ...await (metric as Tensor | null)?.data() ?? []];
    tf.dispose([taught, ...(loss ? [loss] : []), ...(metric ? [metric] : [])]);
    return figures;
  };
}

function ofClasses(tf: TensorFlow, classes: number, { temperature, teacher }: Lesson['variant']): Judge {
  const logarithm = (probabilities: Tensor) => tf.log(tf.clipByValue(probabilities, LEAST, 1));
  return (labels, outputs, taught) => {
    const actual = tf.cast(tf.reshape(labels, [-1]), 'int32');
    const said = logarithm(outputs);
    const hard = tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(actual, classes), said), -1)));
    const softened = tf.softmax(tf.div(logarithm(taught), temperature));
    const soft = tf.neg(tf.mean(tf.sum(tf.mul(softened, tf.logSoftmax(tf.div(said, temperature))), -1)));
    return { loss: tf.add(tf.mul(hard, 1 - teacher), tf.mul(soft, teacher * temperature ** 2)), metric: tf.mean(tf.cast(tf.equal(tf.argMax(outputs, -1), actual), 'float32')) };
  };
}

function ofValues(tf: TensorFlow, loss: Loss, { teacher }: Lesson['variant']): Judge {
  const between = (truth: Tensor, outputs: Tensor): Tensor => {
    switch (loss.kind) {
      case 'meanSquaredError': return tf.losses.meanSquaredError(truth, outputs);
      case 'meanAbsoluteError': return tf.losses.absoluteDifference(truth, outputs);
      case 'huber': return tf.losses.huberLoss(truth, outputs, undefined, loss.delta);
    }
  };
  return (labels, outputs, taught) => ({ loss: tf.add(tf.mul(between(labels, outputs), 1 - teacher), tf.mul(between(taught, outputs), teacher)), metric: tf.mean(tf.abs(tf.sub(labels, outputs))) });
}
