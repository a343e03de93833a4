import { z } from 'zod';

const Described = z.strictObject({ name: z.string(), mean: z.number(), standardDeviation: z.number().min(0), minimum: z.number(), maximum: z.number(), quantiles: z.array(z.number()) });

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
});
export type TrainingProfile = z.infer<typeof TrainingProfile>;
