import type { GoldenInput, GoldenPredictions } from '../../contract/package.js';
import { PerennialError } from '../../contract/errors.js';
import { spreadOf } from '../../domain/outputs.js';
import type { LoadedModel } from '../load-model.js';
import type { RawRows } from '../preprocess.js';

/** Largest allowed distance of a probability from the golden one; of a value, in standard deviations of the golden values. */
export const GOLDEN_TOLERANCE = 1e-5;

type Row = GoldenPredictions['rows'][number];

/** Predicts the golden rows again: the same class and nearly the same probabilities, or nearly the same value; else `package/golden-mismatch`. */
export function replayGolden({ predict, signature }: LoadedModel, golden: GoldenPredictions): void {
  const spread = spreadOf(golden.rows.flatMap((row) => ('value' in row ? [row.value] : [])));
  for (const row of golden.rows) {
    const found = predict(rawOf(row.input), 1);
    const winner = signature.task === 'regression' ? null : signature.classes[found.indexOf(Math.max(...found))] ?? 'nothing';
    const expected = expectedOf(row);
    const distance = Math.max(...expected.outputs.map((value, index) => Math.abs(value - (found[index] ?? NaN)))) / ('value' in row ? spread : 1);
    if (winner === expected.class && distance <= GOLDEN_TOLERANCE) continue;
    const text = (name: string | null, outputs: ArrayLike<number>) => `${name === null ? '' : `${name} with `}${Array.from(outputs).join(', ')}`;
    throw new PerennialError('package/golden-mismatch', `golden row '${row.key}': expected ${text(expected.class, expected.outputs)}, found ${text(winner, found)}`, { key: row.key, distance });
  }
}

function expectedOf(row: Row): { readonly class: string | null; readonly outputs: readonly number[] } {
  return 'value' in row ? { class: null, outputs: [row.value] } : { class: row.class, outputs: row.probabilities };
}

function rawOf(input: GoldenInput): RawRows {
  return typeof input === 'string' ? new Uint8Array(Buffer.from(input, 'base64')) : [input];
}
