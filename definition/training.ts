import { z } from 'zod';

/** One layer of a sequential network, in TensorFlow's own serialised form (`className`, `config`). */
export const LayerSpec = z.strictObject({ className: z.string().min(1), config: z.record(z.string(), z.unknown()).default({}) });
export type LayerSpec = z.infer<typeof LayerSpec>;

/** Either the layers, or a module of the repository whose default export builds the network (see `BuildNetwork`). */
export const Network = z.union([
  z.strictObject({ layers: z.array(LayerSpec).min(1) }),
  z.strictObject({ module: z.string().regex(/^\.\.?\/.+\.(ts|js|mts|mjs)$/, 'a relative path to a .ts or .js file') }),
]);
export type Network = z.infer<typeof Network>;

export const Optimizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('adam'), learningRate: z.number().positive(), beta1: z.number().min(0).lt(1).default(0.9), beta2: z.number().min(0).lt(1).default(0.999) }),
  z.strictObject({ kind: z.literal('rmsprop'), learningRate: z.number().positive(), decay: z.number().min(0).lt(1).default(0.9) }),
  z.strictObject({ kind: z.literal('sgd'), learningRate: z.number().positive(), momentum: z.number().min(0).lt(1).default(0) }),
]);
export type Optimizer = z.infer<typeof Optimizer>;

/** What a regression's training makes small, on the scaled target. `huber`: squared up to `delta`, linear beyond (Huber, 1964). Classes always have cross-entropy. */
export const Loss = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('meanSquaredError') }),
  z.strictObject({ kind: z.literal('meanAbsoluteError') }),
  z.strictObject({ kind: z.literal('huber'), delta: z.number().positive().default(1) }),
]);
export type Loss = z.infer<typeof Loss>;

/** Free parameters of a network's module. */
export const Hyperparameters = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));

export const Training = z.strictObject({
  optimizer: Optimizer,
  loss: Loss.optional().describe('of a regression; the squared error unless told'),
  /** How the learning rate goes on: as given, or down to zero along half a cosine (Loshchilov & Hutter, 2017), which ends calmer. */
  schedule: z.enum(['constant', 'cosine']).default('constant'),
  epochs: z.int().min(1).max(10_000),
  batchSize: z.int().min(1).max(65_536),
  seed: z.int().min(0).max(2 ** 31 - 1),
  /** Free parameters handed to the network's module and recorded with the version. */
  hyperparameters: Hyperparameters.default({}),
  /** Pictures only: each training picture is mirrored left to right with probability one half. */
  augment: z.array(z.enum(['flip-horizontal'])).default([]),
  /** TensorFlow threads; 1 makes a resumed run equal an uninterrupted one bit for bit. Unset: all cores. */
  threads: z.int().min(1).max(256).optional(),
  /** A first pass over a few rows that finds a broken network before hours are spent. */
  quickPass: z.strictObject({ rows: z.int().min(1).default(512), epochs: z.int().min(1).default(1) }).prefault({}),
  limits: z.strictObject({ minutes: z.number().positive().default(240), memoryMb: z.int().min(256).default(4096) }).prefault({}),
});
export type Training = z.infer<typeof Training>;
