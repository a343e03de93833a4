import type { Mistake } from '../../contract/evaluation.js';
import type { GoldenInput, GoldenPredictions } from '../../contract/package.js';
import type { Outputs } from '../../domain/outputs.js';
import type { RowBatch } from '../data/evaluation-rows.js';

/** Rows that a model predicted. */
export interface Predicted { readonly batch: RowBatch; readonly outputs: Outputs; readonly inputOf: (row: number) => GoldenInput }

/** Holds predictions against the truth, as the model's task asks. */
export interface RowJudge {
  /** Takes rows in and gives the body of their `evaluated-rows` frame; a prediction that is no number is `training/not-finite`. */
  take(predicted: Predicted): Uint8Array;
  finish(): { readonly golden: GoldenPredictions; readonly mistakes: Mistake[] };
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
