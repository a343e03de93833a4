import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EpochFigures, TrainProgress } from '../../contract/frames.js';
import { PerennialError } from '../../contract/errors.js';
import type { Training } from '../../definition/training.js';
import { batchesOf } from '../data/batches.js';
import type { Batch, BatchOptions } from '../data/batches.js';
import { epochWindows, orderedWindows } from '../data/epoch-order.js';
import type { RowStore } from '../data/row-store.js';
import type { Preprocessor } from '../preprocess.js';
import { Prng } from '../prng.js';
import type { LayersModel, Tensor, TensorFlow } from '../tensorflow.js';
import type { Objective } from './objective.js';
import { learningRateAt, setLearningRate } from './schedule.js';

/** Where the loop is; it advances the fields as it goes, so that a checkpoint is a copy of them. `accuracySum`: of the objective's metric, whichever that is. */
export interface Position { epoch: number; batch: number; lossSum: number; accuracySum: number; rowsSeen: number; history: EpochFigures[] }

export type TrainStep = (inputs: Tensor, labels: Tensor) => Promise<readonly number[]>;

export interface FitOptions {
  readonly tf: TensorFlow;
  readonly model: LayersModel;
  readonly training: Training;
  readonly epochs: number;
  readonly train: RowStore;
  readonly validation: RowStore | null;
  readonly preprocessor: Preprocessor;
  readonly pictures: boolean;
  readonly objective: Objective;
  /** One step on a batch, with its loss and metric; `trainOnBatch` unless told. */
  readonly step?: TrainStep | undefined;
  readonly budgetBytes: number;
  readonly cancelled: AbortSignal;
  readonly checkpointEveryMs: number;
  readonly onProgress: (progress: TrainProgress) => void;
  /** Called at the end of every epoch, and within long ones; `position` is where the next batch is. */
  readonly onCheckpoint: (position: Readonly<Position>) => Promise<void>;
}

const PROGRESS_EVERY_MS = 200;
const TURN_EVERY_MS = 100;

/** Trains from `position` to the last epoch. Throws `training/not-finite`, or the signal's reason once it is aborted. */
export async function fit(options: FitOptions, position: Position): Promise<void> {
  const { tf, model, training, epochs, train, preprocessor, pictures, objective, budgetBytes, cancelled } = options;
  const step: TrainStep = options.step ?? (async (inputs, labels) => (await model.trainOnBatch(inputs, labels)) as number[]);
  const batches = Math.ceil(train.rows / training.batchSize);
  const flips = pictures && training.augment.includes('flip-horizontal');
  let [lastProgress, lastTurn, lastCheckpoint] = [0, performance.now(), performance.now()];
  for (; position.epoch <= epochs; nextEpoch(position)) {
    const windows = epochWindows(train, training.seed, position.epoch, budgetBytes, position.batch * training.batchSize);
    const cut: BatchOptions = { batchSize: training.batchSize, preprocessor, pictures, firstBatch: position.batch, flips: flips ? (batch) => Prng.of(training.seed, 'flip', position.epoch, batch) : null };
    const [started, rowsBefore] = [performance.now(), position.rowsSeen];
    const rate = () => Math.round((position.rowsSeen - rowsBefore) / Math.max(1e-3, (performance.now() - started) / 1000));
    for (const batch of batchesOf(windows, cut)) {
      if (training.schedule !== 'constant') setLearningRate(model.optimizer, learningRateAt(training, ((position.epoch - 1) * batches + position.batch) / (epochs * batches)));
      const [loss, metric] = await trainBatch(tf, step, batch, preprocessor.shape);
      position.batch += 1;
      if (!Number.isFinite(loss)) throw new PerennialError('training/not-finite', `the loss became ${loss} in epoch ${position.epoch}, batch ${position.batch} of ${batches}`, { epoch: position.epoch, batch: position.batch });
      position.rowsSeen += batch.rows;
      position.lossSum += loss * batch.rows;
      position.accuracySum += metric * batch.rows;
      const now = performance.now();
      if (now - lastProgress >= PROGRESS_EVERY_MS) {
        options.onProgress({ ...figures(position, epochs, batches, objective), rowsPerSecond: rate() });
        lastProgress = now;
      }
      // Awaiting a batch never lets the event loop turn: without this, a cancel frame would go unread.
      if (now - lastTurn >= TURN_EVERY_MS) {
        await nextTurn();
        lastTurn = now;
      }
      cancelled.throwIfAborted();
      if (now - lastCheckpoint >= options.checkpointEveryMs && position.batch < batches) {
        await options.onCheckpoint(position);
        lastCheckpoint = performance.now();
      }
    }
    const finished: EpochFigures = { epoch: position.epoch, ...means(position, objective), ...validate(options) };
    const progress = { ...figures(position, epochs, batches, objective), rowsPerSecond: rate(), finished };
    position.history.push(finished);
    options.onProgress(progress);
    await options.onCheckpoint({ ...position, epoch: position.epoch + 1, batch: 0, lossSum: 0, accuracySum: 0, rowsSeen: 0 });
    lastCheckpoint = performance.now();
  }
}

function nextEpoch(position: Position): void {
  Object.assign(position, { epoch: position.epoch + 1, batch: 0, lossSum: 0, accuracySum: 0, rowsSeen: 0 });
}

function means({ lossSum, accuracySum, rowsSeen }: Position, { training }: Objective): ReturnType<Objective['training']> {
  return training(lossSum / Math.max(1, rowsSeen), accuracySum / Math.max(1, rowsSeen));
}

function figures(position: Position, epochs: number, batches: number, objective: Objective): Omit<TrainProgress, 'rowsPerSecond'> {
  return { epoch: position.epoch, epochs, batch: position.batch, batches, ...means(position, objective) };
}

function tensorsOf(tf: TensorFlow, { rows, inputs, labels }: Batch, shape: readonly number[]): [Tensor, Tensor] {
  const width = inputs.length / labels.length;
  return [tf.tensor(inputs.subarray(0, rows * width), [rows, ...shape]), tf.tensor2d(labels.subarray(0, rows), [rows, 1])];
}

async function trainBatch(tf: TensorFlow, step: TrainStep, batch: Batch, shape: readonly number[]): Promise<[number, number]> {
  const [inputs, labels] = tensorsOf(tf, batch, shape);
  const [loss = NaN, metric = NaN] = await step(inputs, labels);
  tf.dispose([inputs, labels]);
  return [loss, metric];
}

function validate({ tf, model, validation, preprocessor, pictures, objective }: FitOptions): ReturnType<Objective['validation']> {
  if (!validation) return objective.validation(null);
  let [loss, metric] = [0, 0];
  for (const batch of batchesOf(orderedWindows(validation), { batchSize: 256, preprocessor, pictures, flips: null })) {
    const outputs = tf.tidy(() => (model.predictOnBatch(tensorsOf(tf, batch, preprocessor.shape)[0]) as Tensor).dataSync<'float32'>());
    const [ofLoss, ofMetric] = objective.judge(outputs, batch.labels, batch.rows);
    loss += ofLoss;
    metric += ofMetric;
  }
  return objective.validation([loss / validation.rows, metric / validation.rows]);
}
