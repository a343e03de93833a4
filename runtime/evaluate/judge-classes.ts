import { PerennialError } from '../../contract/errors.js';
import type { RowBatch } from '../data/evaluation-rows.js';
import { GoldenCollector } from './golden.js';
import { bytesOf } from './row-judge.js';
import type { RowJudge } from './row-judge.js';
import { WorstMistakes } from './mistakes.js';

/** Body: uint16 actual, uint16 predicted, float32 probabilities. The worst mistakes are the most confident ones. */
export function createClassJudge(classes: readonly string[], width: number): RowJudge {
  const golden = new GoldenCollector(classes, width);
  const mistakes = new WorstMistakes();
  return {
    take: ({ batch, outputs, inputOf }) => {
      const predicted = new Uint16Array(batch.keys.length);
      const probabilities = Float32Array.from(outputs);
      batch.keys.forEach((key, row) => {
        const own = probabilities.subarray(row * classes.length, (row + 1) * classes.length);
        const best = own.indexOf(Math.max(...own));
        if (best < 0) throw new PerennialError('training/not-finite', `row '${key}': the model gives ${[...own].join(', ')}`, { key });
        const actual = batch.actual[row] ?? 0;
        predicted[row] = best;
        golden.offer({ key, actual, probabilities: own, input: () => inputOf(row) });
        if (best !== actual) mistakes.offer(key, own[best] ?? 0, () => ({ key, actual: classes[actual] ?? '', predicted: classes[best] ?? '', probability: own[best] ?? 0, ...pictureOf(batch, row) }));
      });
      return Buffer.concat([bytesOf(batch.actual), bytesOf(predicted), bytesOf(probabilities)]);
    },
    finish: () => ({ golden: golden.finish(), mistakes: mistakes.finish() }),
  };
}

function pictureOf({ pngs }: RowBatch, row: number): { png?: string } {
  const png = pngs[row];
  return png ? { png: Buffer.from(png).toString('base64') } : {};
}
