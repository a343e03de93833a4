import { z } from 'zod';

/**
 * How a prediction is explained. `integrated-gradients`: the network's gradients on the way from a baseline (Sundararajan, Taly, Yan 2017). `shapley`: the mean
 * over orders in which columns take their value, of a table. `occlusion`: what changes where a column, or a patch of a picture, is as in the baseline.
 */
export const ExplainMethod = z.enum(['integrated-gradients', 'shapley', 'occlusion']);
export type ExplainMethod = z.infer<typeof ExplainMethod>;

/** What a row is compared with: of a table the median row or zeros of the network's tensor, of a picture black or its own mean colour. */
export const NamedBaseline = z.enum(['median', 'zeros', 'black', 'mean']);
export type NamedBaseline = z.infer<typeof NamedBaseline>;

const Cell = z.union([z.number(), z.string(), z.boolean(), z.null()]);

/** What a runner is asked to explain, and how. Null: what suits the model. */
export const ExplainTask = z.strictObject({
  method: ExplainMethod.nullable(),
  /** Place of a class; null: of the one that is predicted. */
  target: z.int().min(0).nullable(),
  /** Points on the way of integrated gradients; orders of Shapley values. */
  steps: z.int().min(1).nullable(),
  /** Side of an occluded patch in pixels. */
  patch: z.int().min(1).nullable(),
  /** By name; or values of columns, by their places, that differ from the median row. */
  baseline: z.union([NamedBaseline, z.array(z.tuple([z.int().min(0), Cell]))]).nullable(),
});
export type ExplainTask = z.infer<typeof ExplainTask>;

/** Of one row: the class that is explained (its place; null of a regression), the model's output for it here and at the baseline, and by how much the attributions miss their difference. */
export const ExplainedRow = z.strictObject({ target: z.int().nullable(), output: z.number(), baselineOutput: z.number(), gap: z.number() });
export type ExplainedRow = z.infer<typeof ExplainedRow>;

/** What a runner says of the attributions that it computed. */
export const ExplainedHead = z.strictObject({
  method: ExplainMethod, baseline: z.union([NamedBaseline, z.literal('given')]), steps: z.int().nullable(), patch: z.int().nullable(),
  /** Of one row: `[columns]`, or `[height, width]`. */
  shape: z.array(z.int().min(1)),
  rows: z.array(ExplainedRow),
  /** Rows that the network computed for it, and the processor's milliseconds. */
  evaluations: z.int(), computeMs: z.number(),
});
export type ExplainedHead = z.infer<typeof ExplainedHead>;

/** What an answer says of its attributions; lists are by row. */
export const ExplanationParameters = z.object({
  method: ExplainMethod, baseline: ExplainedHead.shape.baseline, steps: z.int().optional(), patch: z.int().optional(),
  columns: z.array(z.string()).optional().describe('of a table: the columns that the attributions are of'),
  targets: z.array(z.string()).optional().describe('the classes that are explained'),
  outputs: z.array(z.number()).describe('what the model gives for these, or its values'), baseline_outputs: z.array(z.number()).describe('the same of the baseline'),
  gaps: z.array(z.number()).describe('by how much a row\'s attributions miss the difference of both when they are summed'),
});
export type ExplanationParameters = z.infer<typeof ExplanationParameters>;

/**
 * What the prediction log keeps of one explanation. `attributions` by the names of columns; of a picture float32, little-endian, row by row, in base64; null
 * where they are not kept; `summary` has the sums over a coarse grid of a map that is too large. Figures are null where the log keeps no answers.
 */
export const KeptExplanation = z.strictObject({
  method: ExplainMethod, baseline: ExplainedHead.shape.baseline, steps: z.int().nullable(), target: z.string().nullable(),
  output: z.number().nullable(), baselineOutput: z.number().nullable(), gap: z.number().nullable(), shape: z.array(z.int()),
  attributions: z.union([z.record(z.string(), z.number()), z.string()]).nullable(),
  summary: z.strictObject({ shape: z.array(z.int()), sums: z.array(z.number()) }).optional(),
});
export type KeptExplanation = z.infer<typeof KeptExplanation>;
