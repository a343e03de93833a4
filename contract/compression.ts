import { z } from 'zod';
import { AnyMetric } from '../definition/evaluation.js';

/**
 * Latency of the network alone, in one process with one thread and without HTTP, in milliseconds: of one row (median and 95th percentile) and of
 * a batch. `difference`: median of a row's latency minus the full network's, taken in turns, with its 95% interval.
 */
export const VariantLatency = z.strictObject({
  p50: z.number(), p95: z.number(), batch: z.number(),
  difference: z.strictObject({ median: z.number(), interval: z.tuple([z.number(), z.number()]).nullable() }),
});
export type VariantLatency = z.infer<typeof VariantLatency>;

/** A network as it was measured on the test rows. `lost`: how much worse it is than the full network on the same rows. */
export const VariantReport = z.strictObject({
  name: z.string(), how: z.string(),
  /** Of the network's description and its weights, as they are stored; null where it could not be made. */
  bytes: z.int().min(0).nullable(),
  value: z.number().nullable(), n: z.int().min(0), interval: z.tuple([z.number(), z.number()]).optional(),
  lost: z.strictObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]).nullable() }).nullable(),
  latencyMs: VariantLatency.nullable(),
  /** Whether it loses no more than is allowed: shown, shown not to, or not to be told by so few rows. Of the full network: `pass`. */
  verdict: z.enum(['pass', 'fail', 'inconclusive']),
  reason: z.string(),
});
export type VariantReport = z.infer<typeof VariantReport>;

/** The full network, which is the first, and its variants: which one became the candidate, and why. */
export const CompressionReport = z.strictObject({
  v: z.literal(1),
  metric: AnyMetric, allowed: z.number(), prefer: z.enum(['size', 'latency']), batchRows: z.int().min(0),
  chosen: z.string(), because: z.string(),
  variants: z.array(VariantReport).min(1),
});
export type CompressionReport = z.infer<typeof CompressionReport>;
