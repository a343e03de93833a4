import type { Signature } from '../contract/package.js';

/** What a model gives for some rows, one after another: probabilities `rows × classes`, or the values of a regression. */
export type Outputs = Float32Array | Float64Array;

/** How many numbers a model gives for a row. */
export function outputsPerRow(signature: Signature): number {
  return signature.task === 'regression' ? 1 : signature.classes.length;
}

/** Reads outputs from the bytes that a runner sends. */
export function outputsFrom(signature: Signature, { buffer, byteOffset, byteLength }: Uint8Array): Outputs {
  return signature.task === 'regression' ? new Float64Array(buffer, byteOffset, byteLength / 8) : new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** The answer for one row, as it is logged and given. */
export type Answer = { readonly class: string; readonly probabilities: number[] } | { readonly value: number };

export function answersOf(signature: Signature, outputs: Outputs): Answer[] {
  if (signature.task === 'regression') return Array.from(outputs, (value) => ({ value }));
  const { classes } = signature;
  return Array.from({ length: outputs.length / classes.length }, (_, row) => {
    const probabilities = Array.from(outputs.subarray(row * classes.length, (row + 1) * classes.length));
    return { class: classes[probabilities.indexOf(Math.max(...probabilities))] ?? '', probabilities };
  });
}

/** The answer with its probabilities, or its value, to so many decimals; the class stays what it is. */
export function roundedAnswer(answer: Answer, decimals: number): Answer {
  const rounded = (value: number): number => Number(value.toFixed(decimals));
  return 'value' in answer ? { value: rounded(answer.value) } : { class: answer.class, probabilities: answer.probabilities.map(rounded) };
}

/**
 * The unit in which predicted values are compared: their standard deviation; where they are all alike, their magnitude. So 1e-5 means
 * the same for prices in millions and for shares.
 */
export function spreadOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length));
  return deviation > Math.abs(mean) * 1e-9 ? deviation : Math.abs(mean) || 1;
}
