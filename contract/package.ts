import { z } from 'zod';
import { ColumnType } from '../definition/columns.js';
import { ReplacingAction } from '../definition/personal.js';
import { ResizeMethod } from '../definition/resize.js';
import { FittedFeature } from './features.js';
import { JoinedView } from './joined-view.js';
import { Commit, Sha256 } from './ref.js';

export const PackagedFile = z.strictObject({ path: z.string().regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/), sha256: Sha256, bytes: z.int().min(0) });

/** An input as callers send it. Columns have a `type`; without one (packages of before) they are numbers of 32 bits. `allowed`: other values are refused. */
export const SignatureInput = z.strictObject({
  name: z.string(), datatype: z.enum(['UINT8', 'FP32', 'FP64', 'BOOL', 'BYTES']), shape: z.array(z.int().min(1)),
  type: ColumnType.optional(), nullable: z.boolean().optional(), allowed: z.array(z.string()).optional(),
  resize: ResizeMethod.optional().describe('pictures of other sizes are brought to this shape'),
  personal: z.strictObject({ action: ReplacingAction, key: z.string() }).optional().describe('values are replaced before they are predicted or logged, with the key of this name'),
});
export type SignatureInput = z.infer<typeof SignatureInput>;

const outputs = z.array(z.strictObject({ name: z.string(), datatype: z.enum(['FP32', 'FP64']), shape: z.array(z.int().min(1)) })).min(1);
const inputs = z.array(SignatureInput).min(1);

const lookups = z.array(JoinedView).optional();

/** Raw input columns by name (an image is one column), and the outputs. Shapes leave out the batch. Without a task: classes. `lookups`: inputs that feature views give, where a request gives their key. */
export const Signature = z.discriminatedUnion('task', [
  z.strictObject({ task: z.literal('classification').optional(), inputs, lookups, outputs, classes: z.array(z.string()).min(2) }),
  z.strictObject({ task: z.literal('regression'), inputs, lookups, outputs, target: z.string() }),
]);
export type Signature = z.infer<typeof Signature>;

/**
 * Fitted preprocessing. Of a picture: `tensor = (raw - offset) * scale`, of the resized one. Of a table: its columns, and the features made of them in the
 * order of the tensor, and how a number that is predicted was scaled for the network: `tensor = (raw - offset) * scale`; `table` is the form of before columns had types: each column a number of 32 bits, offset and scaled.
 */
export const Preprocessing = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('image'), height: z.int(), width: z.int(), channels: z.int(), offset: z.number(), scale: z.number(), resize: ResizeMethod.optional() }),
  z.strictObject({ kind: z.literal('columns'), columns: z.array(z.strictObject({ name: z.string(), type: ColumnType, nullable: z.boolean() })), features: z.array(FittedFeature), target: z.strictObject({ offset: z.number(), scale: z.number() }).optional() }),
  z.strictObject({ kind: z.literal('table'), columns: z.array(z.strictObject({ name: z.string(), offset: z.number(), scale: z.number() })) }),
]);
export type Preprocessing = z.infer<typeof Preprocessing>;

const input = z.union([z.string().describe('base64 of raw UINT8 pixels, height × width × channels'), z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).describe('values of the columns, in their order')]);
const ClassGolden = z.strictObject({ key: z.string(), input, probabilities: z.array(z.number()), class: z.string() });
const ValueGolden = z.strictObject({ key: z.string(), input, value: z.number() });
export type GoldenInput = z.infer<typeof input>;

/**
 * Golden predictions: raw inputs and what they must give again: the same class and probabilities within 1e-5, or the value within 1e-5
 * standard deviations of the golden values.
 */
export const GoldenPredictions = z.strictObject({ v: z.literal(1), rows: z.array(z.union([ClassGolden, ValueGolden])) });
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
