import { readFile } from 'node:fs/promises';
import type { Tensor } from '@tensorflow/tfjs-node';
import { buildNetwork } from '../../runtime/train/network.js';
import { classObjective } from '../../runtime/train/objective-classes.js';
import { createOptimizer } from '../../runtime/train/optimizer.js';
import { learningRateAt, setLearningRate } from '../../runtime/train/schedule.js';
import { loadTensorFlow } from '../../runtime/tensorflow.js';
import { BareTask, type BareResult } from './bare-task.js';
import type { z } from 'zod';

/**
 * What somebody would write who wants the model and nothing else: decoded pixels into one tensor, `model.fit`, save. No
 * checkpoints, no progress, no seeds, no checks, nobody who watches.
 */
const task = BareTask.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
const { definition: { data, training }, rows } = task;
if (data.kind !== 'images') throw new Error('the bare script trains on pictures');
const { height, width, channels } = data.image;

const tf = loadTensorFlow();
const objective = classObjective(data.target.classes.length);
const model = await buildNetwork({ tf, definition: task.definition, networkModule: null, inputShape: [height, width, channels], objective });
model.compile({ optimizer: createOptimizer(tf, training.optimizer), ...objective.compile });

const pixels = new Uint8Array(await readFile(task.pixels));
const labels = tf.tensor2d(Float32Array.from(await readFile(task.labels)), [rows, 1]);
const clear = tf.tidy(() => tf.tensor4d(pixels, [rows, height, width, channels], 'int32').toFloat().div<Tensor>(255));
const flips = training.augment.includes('flip-horizontal');
/** Every picture, then every picture mirrored: an epoch gathers one of the two of each. */
const both = flips ? tf.tidy(() => tf.concat([clear, clear.reverse(2)])) : null;

const batches = Math.ceil(rows / training.batchSize);
const scheduled = (epoch: number) => (training.schedule === 'constant' ? {} : {
  callbacks: { onBatchBegin: async (batch: number) => { setLearningRate(model.optimizer, learningRateAt(training, (epoch * batches + batch) / (training.epochs * batches))); } },
});

let accuracy = 0;
for (let epoch = 0; epoch < training.epochs; epoch += 1) {
  const inputs = both ? tf.tidy(() => tf.gather(both, tf.tensor1d(Int32Array.from({ length: rows }, (_, row) => (Math.random() < 0.5 ? row : row + rows)), 'int32'))) : clear;
  const { history } = await model.fit(inputs, labels, { batchSize: training.batchSize, epochs: 1, shuffle: true, verbose: 0, ...scheduled(epoch) });
  accuracy = Number(history['acc']?.[0] ?? NaN);
  if (inputs !== clear) inputs.dispose();
}
await model.save(`file://${task.saveTo}`);
process.stdout.write(`${JSON.stringify({ accuracy } satisfies z.infer<typeof BareResult>)}\n`);
