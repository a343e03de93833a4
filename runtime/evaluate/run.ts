import { typedColumns } from '../../definition/columns.js';
import { PerennialError } from '../../contract/errors.js';
import type { GoldenInput } from '../../contract/package.js';
import type { TypedColumn } from '../../definition/columns.js';
import type { TaskOf } from '../../contract/frames.js';
import type { CellRow } from '../../domain/cells.js';
import { outputsPerRow } from '../../domain/outputs.js';
import type { Outputs } from '../../domain/outputs.js';
import type { ChildContext } from '../child/main.js';
import { evaluationRows } from '../data/evaluation-rows.js';
import type { RowBatch } from '../data/evaluation-rows.js';
import { requireSameTarget } from '../data/same-target.js';
import { shardsOf } from '../data/read-shard.js';
import { loadServedModel } from '../load-model.js';
import type { LoadedModel } from '../load-model.js';
import { columnsOf, isPixels } from '../preprocess.js';
import type { RawRows } from '../preprocess.js';
import { loadTensorFlow } from '../tensorflow.js';
import { ImportanceSample } from './importance-sample.js';
import { createRowJudge } from './judge.js';

/** Predicts a split with a trained model and sends the rows back. Runs inside the child. */
export async function runEvaluation({ task, send, cancelled }: ChildContext<'evaluate'>): Promise<void> {
  const { snapshot, split, batchSize } = task;
  const model = await loadServedModel(loadTensorFlow(), task.modelDirectory);
  const { content } = snapshot.manifest;
  requireSameTarget(model.signature, content.target, 'model');
  const takesRow = rowsFor(model, task.refused, typedColumns(content.columns ?? []));
  const total = shardsOf(snapshot, split).reduce((sum, { rows }) => sum + rows, 0);
  const judge = createRowJudge(model.signature, model.preprocessor.width);
  const importance = task.importance && model.preprocessing.kind !== 'image' ? new ImportanceSample(model, columnsOf(model.preprocessing).map(({ name }) => name)) : null;
  let done = 0;
  for await (const read of evaluationRows(snapshot, split)) {
    const batch = takesRow(read);
    cancelled.throwIfAborted();
    const body = judge.take({ batch, outputs: predictAll(model, batch.raw, batchSize), inputOf: (row) => rawInput(model, batch, row) });
    importance?.offer(batch);
    await send({ v: 1, kind: 'evaluated-rows', keys: [...batch.keys], attributes: [...batch.attributes] }, body);
    done += batch.keys.length;
    await send({ v: 1, kind: 'evaluate-progress', progress: { rows: done, of: total } });
  }
  await send({ v: 1, kind: 'evaluated', ...judge.finish(), features: importance?.finish((rows) => predictAll(model, rows, batchSize)) ?? null });
}

function predictAll({ predict, preprocessor, signature }: LoadedModel, raw: RawRows, batchSize: number): Outputs {
  const count = isPixels(raw) ? raw.length / preprocessor.width : raw.length;
  const each = outputsPerRow(signature);
  const all = signature.task === 'regression' ? new Float64Array(count) : new Float32Array(count * each);
  for (let start = 0; start < count; start += batchSize) {
    const rows = Math.min(batchSize, count - start);
    all.set(predict(part(raw, start, rows, preprocessor.width), rows), start * each);
  }
  return all;
}

export function part(raw: RawRows, start: number, rows: number, width: number): RawRows {
  return isPixels(raw) ? raw.subarray(start * width, (start + rows) * width) : raw.slice(start, start + rows);
}

/**
 * Brings the rows of a snapshot into the order of the model's columns. The snapshot may have others besides: the live version is judged
 * on what a newer definition reads. A column of another type or a missing one is `data/blocked`; rows that the model does not take are so too, or are predicted all the same.
 */
export function rowsFor({ preprocessing, preprocessor }: LoadedModel, refused: TaskOf<'evaluate'>['refused'], found: readonly TypedColumn[]): (batch: RowBatch) => RowBatch {
  if (preprocessing.kind === 'image') return (batch) => batch;
  const columns = columnsOf(preprocessing);
  const places = columns.map(({ name, type }) => {
    const place = found.findIndex((column) => column.name === name && column.type === type);
    if (place < 0) throw new PerennialError('data/blocked', `the model takes the column ${name} (${type}), the snapshot has ${found.map((column) => `${column.name} (${column.type})`).join(', ')}`, { column: name });
    return place;
  });
  const problemOf = (row: CellRow): string | null => {
    const missing = columns.find(({ nullable }, index) => !nullable && row[index] === null);
    return missing ? `column ${missing.name}: a value is missing` : preprocessor.problemOf(row);
  };
  return (batch) => {
    if (isPixels(batch.raw)) throw new TypeError('a model of a table was given pictures');
    const raw = batch.raw.map((row) => places.map((place) => row[place] ?? null));
    if (refused === 'block') {
      raw.forEach((row, index) => {
        const problem = problemOf(row);
        if (problem !== null) throw new PerennialError('data/blocked', `row '${batch.keys[index] ?? ''}', ${problem}`, { key: batch.keys[index] });
      });
    }
    return { ...batch, raw };
  };
}

function rawInput({ preprocessor }: LoadedModel, { raw }: RowBatch, row: number): GoldenInput {
  if (!isPixels(raw)) return [...raw[row] ?? []];
  return Buffer.from(raw.subarray(row * preprocessor.width, (row + 1) * preprocessor.width)).toString('base64');
}
