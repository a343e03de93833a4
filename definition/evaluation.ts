import { z } from 'zod';
import { Label, Share } from './common.js';

export const METRICS = ['accuracy', 'precision', 'recall', 'f1'] as const;
export const Metric = z.enum(METRICS);
export type Metric = z.infer<typeof Metric>;

/** A named part of the test rows, chosen by attributes. */
export const Slice = z.strictObject({ name: Label, where: z.record(Label, z.string()) });
export type Slice = z.infer<typeof Slice>;

/**
 * One rule a candidate must meet on unseen data.
 * `at-least`: the metric on the slice (or all test rows) reaches the threshold.
 * `not-worse-than-live`: on the same rows, no more than `margin` below the live version, judged on every declared slice that has `minimumRows` rows.
 */
export const Gate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('at-least'), name: Label, metric: Metric, class: Label.optional(), slice: Label.optional(), threshold: Share, minimumRows: z.int().min(1).default(100) }),
  z.strictObject({ kind: z.literal('not-worse-than-live'), name: Label, metric: z.literal('accuracy').default('accuracy'), margin: Share.default(0.02), minimumRows: z.int().min(1).default(100) }),
]);
export type Gate = z.infer<typeof Gate>;

export const Evaluation = z.strictObject({
  metrics: z.array(Metric).min(1).default([...METRICS]),
  slices: z.array(Slice).default([]),
  gates: z.array(Gate).min(1),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** What the test environment must show through HTTP before anyone is asked to approve. */
export const TestEnvironment = z.strictObject({
  rows: z.int().min(1).default(400).describe('test rows sent through HTTP'),
  /** Largest allowed distance between a probability at evaluation and the same one over HTTP. */
  tolerance: z.number().positive().default(1e-5),
  p99Ms: z.number().positive().default(250),
  load: z.strictObject({ seconds: z.int().min(1).max(600).default(3), connections: z.int().min(1).max(256).default(8), maximumErrorShare: Share.default(0) }).prefault({}),
});
export type TestEnvironment = z.infer<typeof TestEnvironment>;
