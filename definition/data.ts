import { z } from 'zod';
import { Column } from './columns.js';
import { Label, Share } from './common.js';

/** Which split a source's rows belong to; `by-key` sends each row by a stable hash of its key, so that no row ever moves. */
export const SplitRule = z.union([
  z.enum(['train', 'validation', 'test']),
  z.strictObject({
    byKey: z.strictObject({ train: Share, validation: Share.default(0), test: Share })
      .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) <= 1e-9, 'shares that sum to 1'),
  }),
]);
export type SplitRule = z.infer<typeof SplitRule>;

/** Attributes that every row of a source carries; slices select by them. */
const Attributes = z.record(Label, z.string()).default({});

/**
 * Where rows come from. A `location` is a name that operators bind to a folder or S3 prefix (`perennial location set`),
 * so that a definition holds no machine's paths.
 */
export const Source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('image-folder'), location: Label, path: z.string().default(''), split: SplitRule, attributes: Attributes })
    .describe('pictures laid out as <class>/<file>.png'),
  z.strictObject({ kind: z.literal('parquet'), location: Label, path: z.string().min(1), key: z.string().min(1), split: SplitRule, attributes: Attributes })
    .describe('rows of Parquet files (a glob is allowed)'),
  z.strictObject({ kind: z.literal('labelled-predictions'), environment: Label.default('production'), attributes: z.record(Label, z.string()).default({}), split: SplitRule, minimum: z.int().min(0).default(0) })
    .describe('predictions whose label has arrived; with `attributes`, only those logged with these request attributes'),
]);
export type Source = z.infer<typeof Source>;

/** An expectation on the rows; `block` stops the run, `warn` is reported. */
export const DataCheck = z.strictObject({
  minimumRowsPerClass: z.int().min(1).default(10),
  duplicates: z.enum(['block', 'warn', 'drop']).default('drop'),
  conflictingLabels: z.enum(['block', 'warn', 'drop']).default('block').describe('the same picture under two classes'),
  unreadable: z.enum(['block', 'warn', 'drop']).default('block'),
});

const Target = z.strictObject({ name: Label.default('label'), classes: z.array(Label).min(2).max(1000) });

export const ImageData = z.strictObject({
  kind: z.literal('images'),
  image: z.strictObject({ name: Label.default('image'), height: z.int().min(1).max(4096), width: z.int().min(1).max(4096), channels: z.union([z.literal(1), z.literal(3)]).default(3) }),
  target: Target,
  sources: z.array(Source).min(1),
  checks: DataCheck.prefault({}),
});

export const TableData = z.strictObject({
  kind: z.literal('table'),
  columns: z.array(Column).min(1).max(2000).describe('input columns, in order'),
  target: Target,
  sources: z.array(Source).min(1),
  checks: DataCheck.prefault({}),
});

export const Data = z.discriminatedUnion('kind', [ImageData, TableData]);
export type Data = z.infer<typeof Data>;
