import type { Training } from '../../definition/training.js';
import type { Optimizer } from '../tensorflow.js';

/** The learning rate when `done` (0..1) of the training is over. It follows from the place alone, so that a resumed run needs no state. */
export function learningRateAt({ optimizer, schedule }: Training, done: number): number {
  switch (schedule) {
    case 'constant': return optimizer.learningRate;
    case 'cosine': return optimizer.learningRate * 0.5 * (1 + Math.cos(Math.PI * done));
  }
}

/** Sets an optimizer's learning rate: gradient descent keeps a tensor of it, the others read the number at each step. */
export function setLearningRate(optimizer: Optimizer, learningRate: number): void {
  const inner = optimizer as unknown as { learningRate: number; setLearningRate?: (learningRate: number) => void };
  if (inner.setLearningRate) inner.setLearningRate(learningRate);
  else inner.learningRate = learningRate;
}
