import { parentPort, workerData } from 'node:worker_threads';
import { isNumeric, NumberColumns } from '../../../domain/profile/number-columns.js';
import { chunksOf } from './number-slots.js';
import type { FromHelper, HelperData, ToHelper } from './number-slots.js';

/** A thread's program: takes in the columns of numbers that are handed to it, and at the end tells what they are like. */
const { shape, seed, slots } = workerData as HelperData;
const numbers = new NumberColumns(shape, seed);
const shared = slots.map((slot) => chunksOf(slot, shape.columns.filter(isNumeric).length));
const answer = (message: FromHelper) => { parentPort?.postMessage(message); };

parentPort?.on('message', (message: ToHelper) => {
  if (message === 'end') {
    answer(numbers.state());
    return;
  }
  message.rows.forEach((rows, at) => {
    const chunk = shared[message.slot]?.[at];
    if (chunk) numbers.add(rows, chunk.classes, chunk.numbers);
  });
  answer(message.slot);
});
