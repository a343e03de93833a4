import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import type { TaskOf } from '../../contract/frames.js';
import { digestOf } from '../../domain/digest.js';
import type { ChildContext } from '../child/main.js';
import { importNetwork } from '../import/run.js';
import { loadModel } from '../load-model.js';
import { createPreprocessor, preparedRows, signatureOf } from '../preprocess.js';
import { requireSameTarget } from '../data/same-target.js';
import { Prng } from '../prng.js';
import { loadTensorFlow, tensorflowVersion } from '../tensorflow.js';
import type { LayersModel, Tensor, TensorFlow } from '../tensorflow.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { loadTrainingData } from './data.js';
import type { TrainingData } from './data.js';
import { fit } from './fit.js';
import type { Position } from './fit.js';
import { buildNetwork } from './network.js';
import { objectiveOf } from './objective-of.js';
import type { Objective } from './objective.js';
import { openVariant, trainingOf } from './variant.js';
import { createOptimizer } from './optimizer.js';
import { saveModel } from './save-model.js';

/** Trains as the task says and reports where the model is. Runs inside the child. */
export async function runTraining({ task, send, cancelled }: ChildContext<'train'>): Promise<void> {
  const { definition, snapshot, attemptDirectory, mode } = task;
  const training = trainingOf(definition.training, task.variant?.variant);
  const budgetBytes = task.cacheMb * 1024 * 1024;
  const { target } = definition.data;
  requireSameTarget(target, snapshot.manifest.content.target, 'definition');
  await mkdir(attemptDirectory, { recursive: true });
  const data = await loadTrainingData({
    snapshot, features: definition.data.kind === 'table' ? definition.data.features : undefined, picture: definition.data.kind === 'images' ? definition.data.image : undefined, scale: target.task !== 'regression' ? undefined : task.imported ? 'none' : target.scale, directory: attemptDirectory, budgetBytes, limit: mode === 'quick' ? training.quickPass.rows : undefined,
  });
  cancelled.throwIfAborted();

  const tf = loadTensorFlow();
  // Dropout and shuffling of tfjs draw from Math.random: seeded, and its state kept in checkpoints.
  const random = Prng.of(training.seed, 'Math.random');
  Math.random = random.float;
  const { shape, width } = createPreprocessor(data.preprocessing);
  // Rows of tables were packed as tensors; pixels become numbers batch by batch, which holds a quarter of the memory.
  const preprocessor = data.pictures ? createPreprocessor(data.preprocessing) : preparedRows(width);
  const objective = objectiveOf(tf, definition, data.preprocessing);
  const modelDirectory = join(attemptDirectory, 'model');
  const parts = { preprocessing: data.preprocessing, profile: data.profile, signature: signatureOf(data.preprocessing, data.inputName, target, snapshot.manifest.content), environment: environmentLock(tf, task) };
  if (task.imported) {
    await importNetwork({ tf, imported: task.imported, objective, parts, to: modelDirectory });
    return send({ v: 1, kind: 'trained', modelDirectory, history: [], parameters: 0 });
  }
  const network = { tf, definition, networkModule: task.networkModule, inputShape: shape, objective };
  const { model, begin } = task.variant ? await openVariant(network, task.variant) : { model: await buildNetwork(network), begin: null };
  model.compile({ optimizer: createOptimizer(tf, training.optimizer), ...objective.compile });
  checkOutputs(tf, model, data, objective);
  const step = begin?.();

  // Cheap beside a training, and it keeps a checkpoint of other data or another definition from being taken up.
  const trainingDigest = digestOf({ network: definition.network, training, snapshot: snapshot.manifest.digest, mode, ...(task.variant ? { variant: task.variant.variant } : {}) });
  const position: Position = { epoch: 1, batch: 0, lossSum: 0, accuracySum: 0, rowsSeen: 0, history: [] };
  if (task.resumeFrom !== null) {
    const state = await loadCheckpoint(tf, task.resumeFrom, model);
    if (state.trainingDigest !== trainingDigest) throw new PerennialError('training/crashed', `the checkpoint in ${task.resumeFrom} belongs to another definition or snapshot`);
    Object.assign(position, { epoch: state.epoch, batch: state.batch, lossSum: state.lossSum, accuracySum: state.accuracySum, rowsSeen: state.rowsSeen, history: state.history });
    random.state = state.random;
  }
  const batches = Math.ceil(data.train.rows / training.batchSize);
  await fit({
    tf, model, training, objective, step, preprocessor, budgetBytes, cancelled, train: data.train, validation: data.validation, pictures: data.pictures,
    epochs: mode === 'quick' ? training.quickPass.epochs : training.epochs,
    checkpointEveryMs: task.checkpointEveryMs,
    onProgress: (progress) => { void send({ v: 1, kind: 'train-progress', progress }); },
    onCheckpoint: async (at) => {
      const directory = await saveCheckpoint(attemptDirectory, (at.epoch - 1) * batches + at.batch, model, { trainingDigest, ...at, random: [...random.state] });
      await send({ v: 1, kind: 'checkpoint', directory });
    },
  }, position);
  data.train.close();
  data.validation?.close();

  await saveModel(tf, model, parts, modelDirectory);
  await checkLoads(tf, modelDirectory);
  await send({ v: 1, kind: 'trained', modelDirectory, history: position.history, parameters: model.countParams() });
}

/** The network has to give probabilities, or a number, before hours are spent on it. */
function checkOutputs(tf: TensorFlow, model: LayersModel, { preprocessing }: TrainingData, { problemOf, ending }: Objective): void {
  const { shape } = createPreprocessor(preprocessing);
  const outputs = tf.tidy(() => (model.predictOnBatch(tf.zeros([1, ...shape])) as Tensor).dataSync<'float32'>());
  const problem = problemOf(outputs);
  if (problem === null) return;
  throw new PerennialError('training/network', `the network's outputs ${problem}: ${ending}`, { outputs: [...outputs].slice(0, 10) });
}

/** A layer class of the team's own would train, but no runner could load it: better said now. */
async function checkLoads(tf: TensorFlow, modelDirectory: string): Promise<void> {
  try {
    await loadModel(tf, modelDirectory);
  } catch (cause) {
    throw new PerennialError('training/network', `the trained network cannot be loaded again: ${cause instanceof Error ? cause.message : String(cause)}`, {}, { cause });
  }
}

function environmentLock(tf: TensorFlow, task: TaskOf<'train'>) {
  const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions();
  return {
    node: process.version, platform: `${process.platform}-${process.arch}`, tensorflow: tensorflowVersion(tf), tfjs: tf.version.tfjs, lockfile: task.lockfile,
    timeZone, locale, threads: task.definition.training.threads ?? null,
  };
}
