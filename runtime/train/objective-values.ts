import type { Loss } from '../../definition/training.js';
import type { Tensor, TensorFlow } from '../tensorflow.js';
import type { Objective } from './objective.js';

/** `scale`: of the target for the network; what is shown is in the target's own unit. */
export function valueObjective(tf: TensorFlow, loss: Loss, scale: number): Objective {
  const lossOf = lossOfError(loss);
  return {
    outputs: 1,
    ending: 'end it with a dense layer of one unit, without an activation',
    compile: { loss: compiledLoss(tf, loss), metrics: ['mae'] },
    problemOf: (outputs) => (outputs.length === 1 && outputs.every((value) => Number.isFinite(value)) ? null : `are not one number (${[...outputs].slice(0, 5).join(', ')})`),
    judge: (outputs, labels, rows) => {
      let [sum, absolute] = [0, 0];
      for (let row = 0; row < rows; row += 1) {
        const error = Math.abs((outputs[row] ?? NaN) - (labels[row] ?? NaN));
        sum += lossOf(error);
        absolute += error;
      }
      return [sum, absolute];
    },
    training: (mean, error) => ({ loss: mean, accuracy: null, mae: error / scale }),
    validation: (means) => ({ validationLoss: means?.[0] ?? null, validationAccuracy: null, validationMae: means ? means[1] / scale : null }),
  };
}

function compiledLoss(tf: TensorFlow, loss: Loss): Objective['compile']['loss'] {
  switch (loss.kind) {
    case 'meanSquaredError': case 'meanAbsoluteError': return loss.kind;
    case 'huber': return (truth: Tensor, predicted: Tensor) => tf.losses.huberLoss(truth, predicted, undefined, loss.delta);
  }
}

/** The same losses of one row, from its absolute error. */
function lossOfError(loss: Loss): (error: number) => number {
  switch (loss.kind) {
    case 'meanSquaredError': return (error) => error * error;
    case 'meanAbsoluteError': return (error) => error;
    case 'huber': return (error) => (error <= loss.delta ? 0.5 * error * error : loss.delta * (error - 0.5 * loss.delta));
  }
}
