import { columnNames } from '../../definition/columns.js';
import { PerennialError } from '../../contract/errors.js';
import type { ChildContext } from '../child/main.js';
import { evaluationRows } from '../data/evaluation-rows.js';
import type { RowBatch } from '../data/evaluation-rows.js';
import { requireSameClasses } from '../data/same-classes.js';
import { shardsOf } from '../data/read-shard.js';
import { loadModel } from '../load-model.js';
import type { LoadedModel } from '../load-model.js';
import { loadTensorFlow } from '../tensorflow.js';
import { GoldenCollector } from './golden.js';
import { WorstMistakes } from './mistakes.js';

/** Predicts a split with a trained model and sends the rows back. Runs inside the child. */
export async function runEvaluation({ task, send, cancelled }: ChildContext<'evaluate'>): Promise<void> {
  const { snapshot, split, batchSize } = task;
  const model = await loadModel(loadTensorFlow(), task.modelDirectory);
  const { classes } = model.signature;
  const { content } = snapshot.manifest;
  requireSameClasses(classes, content.target.classes, 'model');
  const columns = model.preprocessing.kind === 'table' ? model.preprocessing.columns.map(({ name }) => name) : [];
  const found = columnNames(content.columns ?? []);
  if (columns.join() !== found.join()) throw new PerennialError('data/blocked', `the model takes the columns ${columns.join(', ')}, the snapshot has ${found.join(', ')}`);
  const total = shardsOf(snapshot, split).reduce((sum, { rows }) => sum + rows, 0);
  const golden = new GoldenCollector(classes, model.preprocessor.width);
  const mistakes = new WorstMistakes();
  let done = 0;
  for await (const batch of evaluationRows(snapshot, split)) {
    cancelled.throwIfAborted();
    const probabilities = predictAll(model, batch, batchSize);
    const predicted = new Uint16Array(batch.keys.length);
    batch.keys.forEach((key, row) => {
      const own = probabilities.subarray(row * classes.length, (row + 1) * classes.length);
      const best = own.indexOf(Math.max(...own));
      if (best < 0) throw new PerennialError('training/not-finite', `row '${key}': the model gives ${[...own].join(', ')}`, { key });
      const actual = batch.actual[row] ?? 0;
      predicted[row] = best;
      golden.offer({ key, actual, probabilities: own, input: () => rawInput(model, batch, row) });
      if (best !== actual) mistakes.offer({ key, actual: classes[actual] ?? '', predicted: classes[best] ?? '', probability: own[best] ?? 0 }, () => pngOf(batch, row));
    });
    await send({ v: 1, kind: 'evaluated-rows', keys: [...batch.keys], attributes: [...batch.attributes] }, Buffer.concat([bytesOf(batch.actual), bytesOf(predicted), bytesOf(probabilities)]));
    done += batch.keys.length;
    await send({ v: 1, kind: 'evaluate-progress', progress: { rows: done, of: total } });
  }
  await send({ v: 1, kind: 'evaluated', classes: [...classes], golden: golden.finish(), mistakes: mistakes.finish() });
}

function predictAll({ predict, preprocessor, signature }: LoadedModel, { raw, keys }: RowBatch, batchSize: number): Float32Array {
  const all = new Float32Array(keys.length * signature.classes.length);
  for (let start = 0; start < keys.length; start += batchSize) {
    const rows = Math.min(batchSize, keys.length - start);
    all.set(predict(raw.subarray(start * preprocessor.width, (start + rows) * preprocessor.width), rows), start * signature.classes.length);
  }
  return all;
}

function rawInput({ preprocessor }: LoadedModel, { raw }: RowBatch, row: number): string | number[] {
  const own = raw.subarray(row * preprocessor.width, (row + 1) * preprocessor.width);
  return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : [...own];
}

function pngOf({ pngs }: RowBatch, row: number): string | undefined {
  const png = pngs[row];
  return png && Buffer.from(png).toString('base64');
}

function bytesOf(values: Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
