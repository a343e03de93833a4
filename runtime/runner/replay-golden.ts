import type { GoldenPredictions } from '../../contract/package.js';
import { PerennialError } from '../../contract/errors.js';
import type { LoadedModel } from '../load-model.js';
import type { RawRows } from '../preprocess.js';

/** Largest allowed distance of a probability from the golden one. */
export const GOLDEN_TOLERANCE = 1e-5;

/** Predicts the golden rows again: the same class and nearly the same probabilities, or `package/golden-mismatch`. */
export function replayGolden({ predict, signature }: LoadedModel, golden: GoldenPredictions): void {
  for (const { key, input, probabilities, class: expected } of golden.rows) {
    const raw: RawRows = typeof input === 'string' ? new Uint8Array(Buffer.from(input, 'base64')) : [input];
    const found = predict(raw, 1);
    const winner = signature.classes[found.indexOf(Math.max(...found))];
    const distance = Math.max(...probabilities.map((value, index) => Math.abs(value - (found[index] ?? NaN))));
    if (winner === expected && distance <= GOLDEN_TOLERANCE) continue;
    throw new PerennialError('package/golden-mismatch', `golden row '${key}': expected ${expected} with ${probabilities.join(', ')}, found ${winner ?? 'nothing'} with ${[...found].join(', ')}`, { key, distance });
  }
}
