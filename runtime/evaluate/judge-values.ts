import { PerennialError } from '../../contract/errors.js';
import { GoldenValues } from './golden-values.js';
import { bytesOf } from './row-judge.js';
import type { RowJudge } from './row-judge.js';
import { WorstMistakes } from './mistakes.js';

/** Body: float64 actual, float64 predicted. The worst mistakes are those farthest from the truth. */
export function createValueJudge(width: number): RowJudge {
  const golden = new GoldenValues(width);
  const mistakes = new WorstMistakes();
  return {
    take: ({ batch, outputs, inputOf }) => {
      const predicted = Float64Array.from(outputs);
      batch.keys.forEach((key, row) => {
        const [actual, value] = [batch.actual[row] ?? NaN, predicted[row] ?? NaN];
        if (!Number.isFinite(value)) throw new PerennialError('training/not-finite', `row '${key}': the model gives ${value}`, { key });
        golden.offer(key, value, () => inputOf(row));
        mistakes.offer(key, Math.abs(value - actual), () => ({ key, actual, predicted: value }));
      });
      return Buffer.concat([bytesOf(batch.actual), bytesOf(predicted)]);
    },
    finish: () => ({ golden: golden.finish(), mistakes: mistakes.finish() }),
  };
}
