import type { Outputs } from '../../domain/outputs.js';
import { ServingError } from '../errors.js';

/** 422 where the model gives NaN or infinity for a row: JSON has no form for them, and no caller a use. Inputs of more than about 1e38 do that to 32-bit floats. */
export function refuseNoNumbers(outputs: Outputs, rows: number): void {
  const at = outputs.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new ServingError(422, `Row ${Math.floor(at / (outputs.length / rows))}: what the model gives for it is no finite number; its values may be too large.`);
}
