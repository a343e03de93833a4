import { z } from 'zod';
import { Label, Share } from './common.js';
import { AnyMetric } from './evaluation.js';
import { Hyperparameters, LayerSpec } from './training.js';

/** How weights may be stored in fewer bits than they were trained in. */
export const QUANTIZED = ['float16', 'uint8'] as const;
export const Quantized = z.enum(QUANTIZED);
export type Quantized = z.infer<typeof Quantized>;

const trained = {
  name: Label,
  learningRate: z.number().positive().optional().describe('the training\'s own unless told'),
  store: z.enum(['float32', ...QUANTIZED]).default('float32'),
};

/** The weights of least magnitude become 0, the same share of each kernel; the rest is trained on. */
const Prune = z.strictObject({ kind: z.literal('prune'), ...trained, share: z.number().gt(0).lt(1), epochs: z.int().min(0).max(10_000).default(1) });
/** A smaller network learns what the full one answers. */
const Distil = z.strictObject({
  kind: z.literal('distil'), ...trained,
  network: z.union([z.strictObject({ layers: z.array(LayerSpec).min(1) }), z.strictObject({ hyperparameters: Hyperparameters })]),
  epochs: z.int().min(1).max(10_000),
  temperature: z.number().min(1).max(100).default(4),
  teacher: Share.default(0.9).describe('weight of the full network\'s answers; the rest is that of the labels'),
});
/** A smaller form that is trained. */
export const TrainedVariant = z.discriminatedUnion('kind', [Prune, Distil]);
export type TrainedVariant = z.infer<typeof TrainedVariant>;

/** A smaller form of a trained network. */
export const Variant = z.union([Quantized, Prune, Distil]);
export type Variant = z.infer<typeof Variant>;

/** The name of the network as it was trained, among its variants. */
export const FULL = 'full';

export const Compression = z.strictObject({
  variants: z.array(Variant).min(1).max(10),
  allow: z.strictObject({
    metric: AnyMetric.default('accuracy'),
    lost: Share.describe('of shares in points (0.01 of accuracy is one of a hundred rows), so of r2; of an error as a share of it'),
  }),
  prefer: z.enum(['size', 'latency']).default('size'),
});
export type Compression = z.infer<typeof Compression>;

/** What a variant is called in reports. */
export function nameOfVariant(variant: Variant): string {
  return typeof variant === 'string' ? variant : variant.name;
}
