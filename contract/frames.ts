import { z } from 'zod';
import { TrainedVariant } from '../definition/compression.js';
import { ModelDefinition } from '../definition/model.js';
import { ModelFormat } from './imported.js';
import { GoldenPredictions, Signature } from './package.js';
import { Mistake } from './evaluation.js';
import { ExplainedHead, ExplainTask } from './explanation.js';
import { FeatureReport } from './importance.js';
import { Sha256 } from './ref.js';
import { Split, SnapshotManifest } from './snapshot.js';

/**
 * Frames between a host and its child process. On the pipe a frame is: the four bytes `PRN1`, the header's and the body's
 * lengths (uint32, little-endian), the header (JSON, one of the schemas below) and the body (raw bytes, may be empty).
 */
export const FRAME_MAGIC = 'PRN1';
export const FRAME_PREFIX_BYTES = 12;
export const MAXIMUM_HEADER_BYTES = 64 * 1024 * 1024;
export const MAXIMUM_BODY_BYTES = 512 * 1024 * 1024;

/** A snapshot whose shards were fetched: `path` is an absolute path of a Parquet file. */
export const LocalShard = z.strictObject({ index: z.int().min(0), split: Split, path: z.string().min(1) });
export type LocalShard = z.infer<typeof LocalShard>;
export const LocalSnapshot = z.strictObject({ manifest: SnapshotManifest, localShards: z.array(LocalShard) });
export type LocalSnapshot = z.infer<typeof LocalSnapshot>;

/** One epoch's means over its rows; validation figures where the snapshot has a validation split. */
export const EpochFigures = z.strictObject({
  epoch: z.int().min(1), loss: z.number(), validationLoss: z.number().nullable(),
  /** Null for a regression, which has the mean absolute error in the target's unit instead. */
  accuracy: z.number().nullable(), validationAccuracy: z.number().nullable(),
  mae: z.number().optional(), validationMae: z.number().nullable().optional(),
});
export type EpochFigures = z.infer<typeof EpochFigures>;

export const TrainMode = z.enum(['quick', 'full']);
export type TrainMode = z.infer<typeof TrainMode>;

/** A field of a generator's rows: a column of the table, or a name: key, target or group, which are text in the end. */
export const GeneratedField = z.strictObject({ name: z.string(), type: z.enum(['number', 'text', 'boolean', 'time', 'name']), nullable: z.boolean() });
export type GeneratedField = z.infer<typeof GeneratedField>;

/** What is wrong with a generator's row; `row` counts from 1. */
export const RowFault = z.strictObject({ check: z.enum(['wrong-shape', 'wrong-type', 'not-a-number', 'missing-value']), message: z.string(), row: z.int().min(1) });
export type RowFault = z.infer<typeof RowFault>;

/** What a child is asked to do; the first frame it receives. Paths are absolute and local. */
export const Task = z.discriminatedUnion('program', [
  z.strictObject({ program: z.literal('read-definition'), module: z.string() }),
  z.strictObject({
    program: z.literal('train'), definition: ModelDefinition, networkModule: z.string().nullable(), snapshot: LocalSnapshot,
    attemptDirectory: z.string(), resumeFrom: z.string().nullable(), mode: TrainMode, lockfile: Sha256.nullable(),
    imported: z.strictObject({ format: ModelFormat, directory: z.string() }).nullable().describe('a network that was trained elsewhere: taken instead of training one'),
    variant: z.strictObject({ variant: TrainedVariant, full: z.string() }).nullable().describe('a smaller form that is trained, and the folder of the full network'),
    checkpointEveryMs: z.int().positive(), cacheMb: z.int().positive(),
  }),
  z.strictObject({ program: z.literal('evaluate'), modelDirectory: z.string(), snapshot: LocalSnapshot, split: Split, batchSize: z.int().positive(), refused: z.enum(['block', 'predict']).describe('what becomes of rows of a table that the model does not take'), importance: z.boolean().describe('whether to find out what a table\'s answers hang on') }),
  z.strictObject({ program: z.literal('latency'), modelDirectories: z.array(z.string()).min(1), snapshot: LocalSnapshot, rounds: z.int().positive(), batchRows: z.int().positive(), limitMs: z.number().positive() }),
  z.strictObject({ program: z.literal('generate'), module: z.string(), export: z.string(), fields: z.array(GeneratedField).min(1), limit: z.int().positive().describe('rows') }),
  z.strictObject({ program: z.literal('runner'), packageDirectory: z.string(), listen: z.string().optional().describe('path of a socket at which other hosts may ask as well') }),
]);
export type Task = z.infer<typeof Task>;
export type Program = Task['program'];
export type TaskOf<P extends Program> = Extract<Task, { program: P }>;

const v = z.literal(1);

export const HostFrame = z.discriminatedUnion('kind', [
  z.strictObject({ v, kind: z.literal('start'), task: Task }),
  z.strictObject({ v, kind: z.literal('cancel') }),
  /** Body: `rows` raw inputs: pictures one after another, or (CELLS) the rows of a table as JSON, each an array in the signature's order of columns. */
  z.strictObject({ v, kind: z.literal('predict'), id: z.int().min(0), rows: z.int().min(1), datatype: z.enum(['UINT8', 'FP32', 'CELLS']) }),
  /** Body as of `predict`. Computed in slices, between which predictions are. */
  z.strictObject({ v, kind: z.literal('explain'), id: z.int().min(0), rows: z.int().min(1), datatype: z.enum(['UINT8', 'FP32', 'CELLS']), task: ExplainTask }),
  z.strictObject({ v, kind: z.literal('cancel-explanation'), id: z.int().min(0) }),
]);
export type HostFrame = z.infer<typeof HostFrame>;

/** Where a training is. `batch` counts within the epoch; loss, accuracy and mae are means over the epoch so far. */
export const TrainProgress = z.strictObject({
  epoch: z.int().min(1), epochs: z.int().min(1), batch: z.int().min(0), batches: z.int().min(1), loss: z.number(), accuracy: z.number().nullable(), mae: z.number().optional(), rowsPerSecond: z.number(),
  /** Set on the last progress of an epoch. */
  finished: EpochFigures.optional(),
});
export type TrainProgress = z.infer<typeof TrainProgress>;

export const EvaluateProgress = z.strictObject({ rows: z.int().min(0), of: z.int().min(0) });
export type EvaluateProgress = z.infer<typeof EvaluateProgress>;

export const ChildFrame = z.discriminatedUnion('kind', [
  z.strictObject({ v, kind: z.literal('definitions'), definitions: z.array(z.strictObject({ export: z.string(), value: z.unknown() })) }),
  /** Body: `rows` lines, each a JSON array: the row's number, then its values as text (or null). `seen` counts all rows so far. */
  z.strictObject({ v, kind: z.literal('rows'), rows: z.int().min(0), seen: z.int().min(0), faults: z.array(RowFault) }),
  z.strictObject({ v, kind: z.literal('generated'), seen: z.int().min(0) }),
  z.strictObject({ v, kind: z.literal('train-progress'), progress: TrainProgress }),
  z.strictObject({ v, kind: z.literal('checkpoint'), directory: z.string() }),
  z.strictObject({ v, kind: z.literal('trained'), modelDirectory: z.string(), history: z.array(EpochFigures), parameters: z.int().min(0) }),
  z.strictObject({ v, kind: z.literal('evaluate-progress'), progress: EvaluateProgress }),
  /** Body, planes one after another. Of classes: uint16 actual, uint16 predicted, float32 probabilities. Of a regression: float64 actual, float64 predicted. */
  z.strictObject({ v, kind: z.literal('evaluated-rows'), keys: z.array(z.string()), attributes: z.array(z.string()).describe('JSON text per row') }),
  z.strictObject({ v, kind: z.literal('evaluated'), golden: GoldenPredictions, mistakes: z.array(Mistake), features: FeatureReport.nullable() }),
  /** Milliseconds of each prediction, a list for each model. */
  z.strictObject({ v, kind: z.literal('latencies'), batchRows: z.int().min(0), single: z.array(z.array(z.number())), batch: z.array(z.array(z.number())) }),
  z.strictObject({ v, kind: z.literal('ready'), digest: Sha256, model: z.string(), signature: Signature, uncompiled: z.string().optional().describe('why its network is run operation by operation') }),
  /** Body: float32 probabilities, rows × classes; of a regression float64 values, one a row. */
  z.strictObject({ v, kind: z.literal('prediction'), id: z.int().min(0) }),
  z.strictObject({ v, kind: z.literal('refused'), id: z.int().min(0), message: z.string() }),
  /** Body: float64 attributions, rows × shape. */
  z.strictObject({ v, kind: z.literal('explained'), id: z.int().min(0), explanation: ExplainedHead }),
  /** `unfit`: the model cannot be explained like that, which the message tells the caller. */
  z.strictObject({ v, kind: z.literal('unexplained'), id: z.int().min(0), reason: z.enum(['unfit', 'failed', 'cancelled']), message: z.string() }),
  z.strictObject({ v, kind: z.literal('cancelled') }),
  z.strictObject({ v, kind: z.literal('failed'), code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
]);
export type ChildFrame = z.infer<typeof ChildFrame>;
export type ChildFrameOf<K extends ChildFrame['kind']> = Extract<ChildFrame, { kind: K }>;
