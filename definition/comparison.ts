import { z } from 'zod';
import { Share } from './common.js';

const severity = z.enum(['block', 'warn']).default('warn');

/** What may differ from the snapshot before; `block` stops the run, `warn` is reported. */
export const Comparison = z.strictObject({
  columns: severity.describe('new, missing or retyped columns'),
  shift: z.strictObject({ distance: Share.default(0.1), severity }).prefault({}).describe('Kolmogorov-Smirnov of numbers and times, Jensen-Shannon of texts and booleans'),
  missing: z.strictObject({ change: Share.default(0.05), severity }).prefault({}),
  classes: z.strictObject({ change: Share.default(0.1), severity }).prefault({}),
  rows: z.strictObject({ least: z.number().min(0).max(1).default(0.5), most: z.number().min(1).optional(), severity }).prefault({}),
  /** Chance that rows of the same kind are reported at all, over all columns together. */
  significance: z.number().gt(0).lt(1).default(0.001),
});
export type Comparison = z.infer<typeof Comparison>;
