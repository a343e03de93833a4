import type { EpochFigures, TrainProgress } from '../../contract/frames.js';
import type { LayersModel } from '../tensorflow.js';

/** What a model of a task is trained for, and which figure is shown beside the loss: accuracy, or the mean absolute error. */
export interface Objective {
  /** Units of the network's last layer. */
  readonly outputs: number;
  /** What these units have to be, for the message of a network that ends otherwise. */
  readonly ending: string;
  /** How a model is compiled. */
  readonly compile: Pick<Parameters<LayersModel['compile']>[0], 'loss' | 'metrics'>;
  /** What is wrong with the outputs of an untrained network, or null. */
  readonly problemOf: (outputs: Float32Array) => string | null;
  /** Sums of loss and metric over rows that were predicted. */
  readonly judge: (outputs: Float32Array, labels: Float32Array, rows: number) => readonly [loss: number, metric: number];
  /** The means of loss and metric, as progress and epochs name them. */
  readonly training: (loss: number, metric: number) => Pick<TrainProgress, 'loss' | 'accuracy' | 'mae'>;
  readonly validation: (means: readonly [loss: number, metric: number] | null) => Pick<EpochFigures, 'validationLoss' | 'validationAccuracy' | 'validationMae'>;
}
