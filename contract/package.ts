import { z } from 'zod';
import { ColumnType } from '../definition/columns.js';
import { FittedFeature } from './features.js';
import { Commit, Sha256 } from './ref.js';

export const PackagedFile = z.strictObject({ path: z.string().regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/), sha256: Sha256, bytes: z.int().min(0) });

/** An input as callers send it. Columns have a `type`; without one (packages of before) they are numbers of 32 bits. `allowed`: other values are refused. */
export const SignatureInput = z.strictObject({
  name: z.string(), datatype: z.enum(['UINT8', 'FP32', 'FP64', 'BOOL', 'BYTES']), shape: z.array(z.int().min(1)),
  type: ColumnType.optional(), nullable: z.boolean().optional(), allowed: z.array(z.string()).optional(),
});
export type SignatureInput = z.infer<typeof SignatureInput>;

/** Raw input columns by name (an image is one column), and the outputs. Shapes leave out the batch. */
export const Signature = z.strictObject({
  inputs: z.array(SignatureInput).min(1),
  outputs: z.array(z.strictObject({ name: z.string(), datatype: z.enum(['FP32']), shape: z.array(z.int().min(1)) })).min(1),
  classes: z.array(z.string()).min(2),
});
export type Signature = z.infer<typeof Signature>;

/**
 * Fitted preprocessing. Of a picture: `tensor = (raw - offset) * scale`. Of a table: its columns, and the features made of them in the
 * order of the tensor; `table` is the form of before columns had types: each column a number of 32 bits, offset and scaled.
 */
export const Preprocessing = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('image'), height: z.int(), width: z.int(), channels: z.int(), offset: z.number(), scale: z.number() }),
  z.strictObject({ kind: z.literal('columns'), columns: z.array(z.strictObject({ name: z.string(), type: ColumnType, nullable: z.boolean() })), features: z.array(FittedFeature) }),
  z.strictObject({ kind: z.literal('table'), columns: z.array(z.strictObject({ name: z.string(), offset: z.number(), scale: z.number() })) }),
]);
export type Preprocessing = z.infer<typeof Preprocessing>;

/** Golden predictions: raw inputs and the probabilities they must give again (same class, values within 1e-5). */
export const GoldenPredictions = z.strictObject({
  v: z.literal(1),
  rows: z.array(z.strictObject({ key: z.string(), input: z.union([z.string().describe('base64 of raw UINT8 pixels, height × width × channels'), z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).describe('values of the columns, in their order')]), probabilities: z.array(z.number()), class: z.string() })),
});
export type GoldenPredictions = z.infer<typeof GoldenPredictions>;

/** What has to be the same to get the same weights again. */
export const EnvironmentLock = z.strictObject({
  node: z.string(), platform: z.string(), tensorflow: z.string(), tfjs: z.string(), lockfile: Sha256.nullable(), timeZone: z.string(), locale: z.string(), threads: z.int().nullable(),
});
export type EnvironmentLock = z.infer<typeof EnvironmentLock>;

/**
 * `packages/<digest>/manifest.json`: the digest is the sha256 of the canonical JSON of `content`. Nothing in it differs between
 * two tries: no times, no latencies.
 * Files: `model.json`, `weights.bin`, `code/bundle.mjs`, `signature.json`, `preprocessing.json`, `profile.json`, `golden.json`, `evaluation.json`, `environment.json`, `card.md`.
 */
export const PackageManifest = z.strictObject({
  v: z.literal(1),
  digest: Sha256,
  content: z.strictObject({
    model: z.string(), commit: Commit, trainingDigest: Sha256, snapshot: Sha256,
    hyperparameters: z.record(z.string(), z.unknown()),
    files: z.array(PackagedFile),
  }),
});
export type PackageManifest = z.infer<typeof PackageManifest>;
