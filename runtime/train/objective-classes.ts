import type { Objective } from './objective.js';

export function classObjective(classes: number): Objective {
  return {
    outputs: classes,
    ending: `end it with a dense layer of ${classes} units and the activation 'softmax'`,
    compile: { loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] },
    problemOf: (outputs) => {
      const sum = outputs.reduce((total, value) => total + value, 0);
      const isGood = outputs.length === classes && outputs.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
      return isGood ? null : `are no probabilities (they sum to ${sum.toPrecision(4)})`;
    },
    judge: (outputs, labels, rows) => {
      let [loss, right] = [0, 0];
      for (let row = 0; row < rows; row += 1) {
        const own = outputs.subarray(row * classes, (row + 1) * classes);
        const actual = labels[row] ?? 0;
        loss -= Math.log(Math.max(1e-7, own[actual] ?? 0));
        if (own.indexOf(Math.max(...own)) === actual) right += 1;
      }
      return [loss, right];
    },
    training: (loss, accuracy) => ({ loss, accuracy }),
    validation: (means) => ({ validationLoss: means?.[0] ?? null, validationAccuracy: means?.[1] ?? null }),
  };
}
