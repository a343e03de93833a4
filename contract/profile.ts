import { z } from 'zod';

/** NaN where it is beyond 32 bits, or hangs on values that are; JSON has null for it. */
const Figure = z.number().nullable().transform((figure) => figure ?? NaN);
const Described = z.strictObject({ name: z.string(), mean: Figure, standardDeviation: Figure, minimum: Figure, maximum: Figure, quantiles: z.array(Figure) });

/** Where rows of training lie as a whole: `precision`, of standardised columns, is null where only each column by itself is known; beyond a distance lies that share of them. */
export const TrainingOutliers = z.strictObject({
  columns: z.array(z.strictObject({ name: z.string(), mean: z.number(), deviation: z.number().positive() })),
  precision: z.array(z.array(z.number())).nullable(),
  distances: z.array(z.strictObject({ share: z.number().min(0).max(1), distance: z.number().min(0) })),
});
export type TrainingOutliers = z.infer<typeof TrainingOutliers>;

/** Of a column: how many rows missed it, and all the categories that rows had, also those that are too rare for an input of their own; left out of one that is none, or has too many. */
export const TrainingColumn = z.strictObject({ name: z.string(), missing: z.int().min(0), categories: z.array(z.string()).optional() });
export type TrainingColumn = z.infer<typeof TrainingColumn>;

/**
 * What the training rows looked like (`profile.json` in a package): the reference that live inputs are compared with.
 * A table's features are its columns of numbers; a picture's are its mean brightness and its contrast (standard deviation), 0..255.
 * `quantiles` are at 0, 5, … 100 % of an even sample of at most 10,000 rows.
 */
export const TrainingProfile = z.strictObject({
  v: z.literal(1), kind: z.enum(['images', 'table']), rows: z.int().min(0),
  /** Empty for a regression, whose target is described as a feature is. */
  byClass: z.record(z.string(), z.int().min(0)),
  target: Described.optional(),
  features: z.array(Described),
  /** Left out where there were too few rows, and by trainings of before it was kept. */
  outliers: TrainingOutliers.optional(),
  /** All columns of a table; left out by trainings of before it was kept. */
  columns: z.array(TrainingColumn).optional(),
});
export type TrainingProfile = z.infer<typeof TrainingProfile>;
