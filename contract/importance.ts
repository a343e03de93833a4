import { z } from 'zod';

/** By how much the error grows, and its 95% interval over the rows. */
const Growth = { importance: z.number(), interval: z.tuple([z.number(), z.number()]) };

/**
 * What a model's answers hang on: by how much its error on test rows grows when the values of a column are exchanged among the rows.
 * `metric` says which error: `accuracy`, the share of rows answered wrongly; `mae`, the mean absolute error in the target's unit.
 */
export const FeatureReport = z.strictObject({
  v: z.literal(1), metric: z.enum(['accuracy', 'mae']), rows: z.int(), repeats: z.int(),
  /** The error before anything was exchanged. */
  error: z.number(),
  /** The most important first. */
  columns: z.array(z.strictObject({ name: z.string(), ...Growth })),
  /** Columns that say nearly the same, exchanged together: one of them alone seems unimportant, since the others stand in for it. `strength`: the weakest tie that holds the group together, 0..1. */
  redundant: z.array(z.strictObject({ columns: z.array(z.string()).min(2), strength: z.number(), ...Growth })),
});
export type FeatureReport = z.infer<typeof FeatureReport>;
