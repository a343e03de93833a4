import { z } from 'zod';
import { Share } from './common.js';
import type { Task } from './target.js';

/** How weights may be stored in fewer bits than they were trained in. */
export const QUANTIZED = ['float16', 'uint8'] as const;
export const Quantized = z.enum(QUANTIZED);
export type Quantized = z.infer<typeof Quantized>;

/** A smaller form of a trained network. */
export const Variant = Quantized;
export type Variant = z.infer<typeof Variant>;

/** The name of the network as it was trained, among its variants. */
export const FULL = 'full';

/** Figures that a network and its variant are compared by on the same rows, with an interval. */
export const LOSS_METRIC_OF = { classification: 'accuracy', regression: 'mae' } as const satisfies Record<Task, string>;

export const Compression = z.strictObject({
  variants: z.array(Variant).min(1).max(10),
  allow: z.strictObject({
    metric: z.enum(['accuracy', 'mae']).default('accuracy'),
    lost: Share.describe('of accuracy in points (0.01 is one of a hundred rows), of the mean absolute error as a share of it'),
  }),
  prefer: z.enum(['size', 'latency']).default('size'),
});
export type Compression = z.infer<typeof Compression>;

/** What a variant is called in reports. */
export function nameOfVariant(variant: Variant): string {
  return variant;
}
