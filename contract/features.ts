import { z } from 'zod';

const column = z.string();
/** `(value - offset) * scale` */
const scaled = { offset: z.number(), scale: z.number() };

/** A fitted feature: what it is made of, and the figures of the training split. One column may have several. */
export const FittedFeature = z.discriminatedUnion('kind', [
  /** Booleans count as 0 and 1. A missing value is `fill`; with `indicator` a second number says that it was missing. */
  z.strictObject({ kind: z.literal('number'), column, fill: z.number(), indicator: z.boolean(), ...scaled }),
  /** One-hot, in the order of `categories`; then one for what is unknown (`bucket` only), then one for what is missing (`missing` or `indicator`). */
  z.strictObject({ kind: z.literal('category'), column, categories: z.array(z.string()), unknown: z.enum(['bucket', 'zeros', 'refuse']), fill: z.string().nullable(), missing: z.boolean() }),
  /** One-hot: below the first edge, from each edge on; then, with `missing`, one for what is missing. */
  z.strictObject({ kind: z.literal('bucket'), column, edges: z.array(z.number()), missing: z.boolean() }),
  /** Code points of a text; 0 after scaling where it is missing. */
  z.strictObject({ kind: z.literal('length'), column, ...scaled }),
  /** How often a text has words (letters and digits, lower case, NFKC) that hash to each of the buckets. */
  z.strictObject({ kind: z.literal('words'), column, buckets: z.int() }),
  /** A part of a time in UTC: as sine and cosine (`cyclic`), or as a share of its period; seconds and years are scaled. */
  z.strictObject({ kind: z.literal('time'), column, part: z.enum(['instant', 'year', 'month', 'day', 'weekday', 'hour', 'minute']), cyclic: z.boolean(), ...scaled }),
  z.strictObject({ kind: z.literal('missing'), column }),
  /** One-hot of the hash of the values together; a number with `edges` counts as its bucket. */
  z.strictObject({ kind: z.literal('cross'), of: z.array(z.strictObject({ column, edges: z.array(z.number()).optional() })), buckets: z.int() }),
]);
export type FittedFeature = z.infer<typeof FittedFeature>;
