import { z } from 'zod';
import { Label, Share } from './common.js';
import type { Task } from './target.js';

/** Figures of a classification: shares, of which more is better. */
export const METRICS = ['accuracy', 'precision', 'recall', 'f1'] as const;
export type Metric = (typeof METRICS)[number];
/** Figures of a regression of which less is better, in the target's unit; `mape` is a share, and not defined where a target is 0. */
export const ERROR_METRICS = ['mae', 'rmse', 'medianAbsoluteError', 'mape'] as const;
export const ErrorMetric = z.enum(ERROR_METRICS);
export type ErrorMetric = z.infer<typeof ErrorMetric>;
/** Figures that a lower limit makes sense for: those of a classification, and the coefficient of determination of a regression. */
export const GainMetric = z.enum([...METRICS, 'r2']);
export type GainMetric = z.infer<typeof GainMetric>;
/** Every figure by which a model is judged, of either task. */
export const AnyMetric = z.enum([...METRICS, 'r2', ...ERROR_METRICS]);
export type AnyMetric = z.infer<typeof AnyMetric>;

/** The figures that a task has. */
export const METRICS_OF = { classification: METRICS, regression: [...ERROR_METRICS, 'r2'] } as const satisfies Record<Task, readonly AnyMetric[]>;

/** A named part of the test rows, chosen by attributes. */
export const Slice = z.strictObject({ name: Label, where: z.record(Label, z.string()) });
export type Slice = z.infer<typeof Slice>;

const common = {
  name: Label, minimumRows: z.int().min(1).default(100),
  frozen: Label.optional().describe('judged on the rows of this frozen test set instead of the test rows'),
};

/**
 * One rule a candidate must meet on unseen data: the test rows, or those of a frozen test set.
 * `at-least`: the metric on the slice (or all test rows) reaches the threshold. `at-most`: an error does not exceed it.
 * `not-worse-than-live`: on the same rows, accuracy no more than `margin` below the live version's, or the mean absolute error no more than that share above it,
 * judged on every declared slice that has `minimumRows` rows.
 */
export const Gate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('at-least'), ...common, metric: GainMetric, class: Label.optional(), slice: Label.optional(), threshold: Share }),
  z.strictObject({ kind: z.literal('at-most'), ...common, metric: ErrorMetric, slice: Label.optional(), threshold: z.number().min(0) }),
  z.strictObject({ kind: z.literal('not-worse-than-live'), ...common, metric: z.enum(['accuracy', 'mae']).default('accuracy'), margin: Share.default(0.02) }),
]);
export type Gate = z.infer<typeof Gate>;

export const Evaluation = z.strictObject({
  metrics: z.array(AnyMetric).min(1).optional().describe('the figures that people judge by, the first in headlines; without it all of the task'),
  slices: z.array(Slice).default([]),
  frozen: z.array(Label).max(20).optional().describe('frozen test sets that every candidate is measured on as well'),
  gates: z.array(Gate).min(1),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** What the test environment must show through HTTP before anyone is asked to approve. */
export const TestEnvironment = z.strictObject({
  rows: z.int().min(1).default(400).describe('test rows sent through HTTP'),
  /** Largest allowed distance between a probability at evaluation and the same one over HTTP; between numbers, in standard deviations of what was predicted. */
  tolerance: z.number().positive().default(1e-5),
  p99Ms: z.number().positive().default(250),
  load: z.strictObject({ seconds: z.int().min(1).max(600).default(3), connections: z.int().min(1).max(256).default(8), maximumErrorShare: Share.default(0) }).prefault({}),
});
export type TestEnvironment = z.infer<typeof TestEnvironment>;
