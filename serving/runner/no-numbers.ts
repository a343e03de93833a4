import type { Answer } from '../../domain/outputs.js';
import { ServingError } from '../errors.js';

/** 422 where NaN or infinity is what would be answered for a row: JSON has no form for them, and no caller a use. Inputs of more than about 1e38 do that to 32-bit floats. */
export function refuseNoNumbers(answers: readonly Answer[]): void {
  const row = answers.findIndex((answer) => ('value' in answer ? !Number.isFinite(answer.value) : !answer.probabilities.every(Number.isFinite)));
  if (row >= 0) throw new ServingError(422, `Row ${row}: what the model gives for it is no finite number; its values may be too large.`);
}
