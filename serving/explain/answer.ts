import { z } from 'zod';
import type { ExplanationParameters } from '../../contract/explanation.js';
import type { Signature } from '../../contract/package.js';
import type { Explanation } from '../../runtime/runner/start.js';

/** Name of the output that holds the attributions. */
export const EXPLANATION = 'explanation';

export function explanationParameters({ head: { method, baseline, steps, patch, shape, rows } }: Explanation, signature: Signature): ExplanationParameters {
  return {
    method, baseline, ...(steps === null ? {} : { steps }), ...(patch === null ? {} : { patch }),
    ...(shape.length === 1 ? { columns: signature.inputs.map(({ name }) => name) } : {}),
    ...(signature.task === 'regression' ? {} : { targets: rows.map(({ target }) => signature.classes[target ?? -1] ?? '') }),
    outputs: rows.map(({ output }) => output), baseline_outputs: rows.map(({ baselineOutput }) => baselineOutput), gaps: rows.map(({ gap }) => gap),
  };
}

/** Digits of 32 bits: a map of a picture is long enough with them. */
const DIGITS = 7;

/** The attributions as an output tensor: `[n, columns]`, or `[n, height, width]`. */
export function explanationOutput({ head: { shape, rows }, attributions }: Explanation) {
  const isMap = shape.length > 1;
  return { name: EXPLANATION, shape: [rows.length, ...shape], datatype: isMap ? 'FP32' as const : 'FP64' as const, data: Array.from(attributions, (value) => (isMap ? Number(value.toPrecision(DIGITS)) : value)) };
}

/** The attributions of a row, by column; of a picture its lines. */
export const RowAttributions = z.union([z.record(z.string(), z.number()), z.array(z.array(z.number()))]);

export function rowAttributions({ head: { shape: [size = 0, width], rows }, attributions }: Explanation, signature: Signature): z.infer<typeof RowAttributions>[] {
  return rows.map((_, row) => {
    if (width === undefined) return Object.fromEntries(signature.inputs.map(({ name }, column) => [name, attributions[row * size + column] ?? 0]));
    return Array.from({ length: size }, (_line, y) => Array.from(attributions.subarray((row * size + y) * width, (row * size + y + 1) * width), (value) => Number(value.toPrecision(DIGITS))));
  });
}

/** The explanation with its numbers to so many decimals. */
export function roundedExplanation({ head, attributions }: Explanation, decimals: number): Explanation {
  const rounded = (value: number) => Number(value.toFixed(decimals));
  return {
    head: { ...head, rows: head.rows.map(({ target, output, baselineOutput, gap }) => ({ target, output: rounded(output), baselineOutput: rounded(baselineOutput), gap: rounded(gap) })) },
    attributions: attributions.map(rounded),
  };
}
