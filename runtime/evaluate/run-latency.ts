import { setImmediate as nextTurn } from 'node:timers/promises';
import { typedColumns } from '../../definition/columns.js';
import type { ChildContext } from '../child/main.js';
import { evaluationRows } from '../data/evaluation-rows.js';
import { loadServedModel } from '../load-model.js';
import type { LoadedModel } from '../load-model.js';
import type { RawRows } from '../preprocess.js';
import { Prng } from '../prng.js';
import { loadTensorFlow } from '../tensorflow.js';
import { part, rowsFor } from './run.js';

const WARM_UP = 20;
const LEAST_ROUNDS = 15;

/**
 * Times networks, as they are served, against each other on test rows, one after another within each round, in an order that is drawn anew for each: what slows the
 * machine down slows all of them, and none always comes after one that left the processor's caches to it. Runs inside the child.
 */
export async function runLatency({ task, send, cancelled }: ChildContext<'latency'>): Promise<void> {
  const { modelDirectories, snapshot, rounds, batchRows, limitMs } = task;
  const tf = loadTensorFlow();
  const models = await Promise.all(modelDirectories.map((directory) => loadServedModel(tf, directory)));
  const [first] = models;
  const rows = first ? await firstRows(first, snapshot, batchRows) : null;
  if (rows === null) return send({ v: 1, kind: 'latencies', batchRows: 0, single: models.map(() => []), batch: models.map(() => []) });

  const time = async (rowsOf: (model: LoadedModel, round: number) => RawRows, count: number, most: number): Promise<number[][]> => {
    const taken: number[][] = models.map(() => []);
    const until = performance.now() + limitMs;
    for (let round = -WARM_UP; round < most && (round < LEAST_ROUNDS || performance.now() < until); round += 1) {
      cancelled.throwIfAborted();
      for (const index of Prng.of('latency', round).permutation(models.length)) {
        const model = models[index];
        if (!model) continue;
        const raw = rowsOf(model, Math.max(0, round));
        const began = performance.now();
        model.predict(raw, count);
        if (round >= 0) taken[index]?.push(performance.now() - began);
      }
      await nextTurn(); // else a cancel frame would go unread
    }
    return taken;
  };
  const single = await time((model, round) => part(rows.raw, round % rows.count, 1, model.preprocessor.width), 1, rounds);
  const batch = await time(() => rows.raw, rows.count, Math.ceil(rounds / 5));
  await send({ v: 1, kind: 'latencies', batchRows: rows.count, single, batch });
}

/** Up to `count` test rows, in the model's order of columns; null without any. */
async function firstRows(model: LoadedModel, snapshot: Parameters<typeof evaluationRows>[0], count: number): Promise<{ readonly raw: RawRows; readonly count: number } | null> {
  const takes = rowsFor(model, 'predict', typedColumns(snapshot.manifest.content.columns ?? []));
  for await (const batch of evaluationRows(snapshot, 'test')) {
    const own = Math.min(count, batch.keys.length);
    if (own > 0) return { raw: part(takes(batch).raw, 0, own, model.preprocessor.width), count: own };
  }
  return null;
}
