import { z } from 'zod';
import { ColumnType } from '../definition/columns.js';
import { Ref, Sha256 } from './ref.js';

const Count = z.int().min(0);
const Moments = z.strictObject({ n: Count, mean: z.number(), m2: z.number().min(0) });

/** Rows × values of a sketch, as little-endian doubles in base64: half the size of their digits. */
const Doubles = z.base64();

/** Numbers of a column; of times, milliseconds since 1970. */
const NumberState = z.strictObject({
  moments: Moments, minimum: z.number().nullable(), maximum: z.number().nullable(), zeros: Count, negatives: Count, integers: Count,
  /** A sketch of Karnin, Lang and Liberty: values of `levels[h]` stand for 2^h each. */
  quantiles: z.strictObject({ n: Count, levels: z.array(Doubles) }),
  /** Of each class, in the order of the target's. */
  byClass: z.array(Moments),
});

/** What a column's values are, so far as it can be put together from parts; `distinct` are registers of HyperLogLog. */
const ColumnState = z.strictObject({
  name: z.string(), type: ColumnType, nullable: z.boolean(), present: Count, missing: Count, distinct: z.base64(),
  numbers: NumberState.nullable(),
  texts: z.strictObject({ empty: Count, lengths: Moments, shortest: Count.nullable(), longest: Count.nullable() }).nullable(),
  /** Counts of frequent values, each at most `error` too small; null where a column of numbers has more than a few. */
  values: z.strictObject({ counts: z.array(z.tuple([z.string(), Count])), byClass: z.array(z.array(Count)).nullable(), error: Count }).nullable(),
});
export type ColumnState = z.infer<typeof ColumnState>;

/** A picture shown for its class: the ones whose pixels' digests are lowest, so that any way of dividing the rows shows the same. */
const ExamplePicture = z.strictObject({ class: z.string(), key: z.string(), digest: z.string(), png: z.base64() });
export type ExamplePicture = z.infer<typeof ExamplePicture>;

/**
 * The profile of some rows, which can be merged with that of others: of a shard, or of a snapshot. A table's columns are its own; those of
 * pictures are `brightness` and `contrast` (mean and standard deviation of a picture's values, 0..255), the mean of each channel, and `bytes`.
 */
export const DataProfile = z.strictObject({
  v: z.literal(1), kind: z.enum(['images', 'table']), rows: Count,
  /** `classes` null: the target is a number, and a column of that name. */
  target: z.strictObject({ name: z.string(), classes: z.array(z.strictObject({ name: z.string(), rows: Count })).nullable() }),
  columns: z.array(ColumnState),
  /** Moments of pairs of numeric columns: n, both means, both sums of squares, that of their product; of pairs (0,1), (0,2), … (1,2), … */
  pairs: z.strictObject({ columns: z.array(z.string()), moments: Doubles }),
  image: z.strictObject({ height: z.int(), width: z.int(), channels: z.int() }).nullable(),
  examples: z.array(ExamplePicture),
});
export type DataProfile = z.infer<typeof DataProfile>;

/** What is stored of a snapshot: its profile, and those of its shards by their digest, so that a shard that stays is not read again. */
export const SnapshotProfile = z.strictObject({ v: z.literal(1), profile: DataProfile, parts: z.array(z.strictObject({ shard: Sha256, profile: Ref })) });
export type SnapshotProfile = z.infer<typeof SnapshotProfile>;

/** Where a snapshot's profile is: with its sketches, as it is read (`ProfileSummary`), and as a page. */
export const ProfileRefs = z.strictObject({ data: Ref, json: Ref, html: Ref });
export type ProfileRefs = z.infer<typeof ProfileRefs>;

const Value = z.number().nullable();
const Bin = z.strictObject({ from: z.number(), to: z.number(), share: z.number().min(0) });

/** A column as people and programs read it. Times are milliseconds since 1970. */
export const ColumnSummary = z.strictObject({
  name: z.string(), type: ColumnType, nullable: z.boolean(), present: Count, missing: Count, missingShare: z.number().min(0).max(1),
  /** `distinctExact` false: estimated, with a standard error of 2.3%. */
  distinct: Count, distinctExact: z.boolean(),
  numbers: z.strictObject({
    minimum: Value, maximum: Value, mean: Value, standardDeviation: Value, zeros: Count, negatives: Count, integers: Count,
    quantiles: z.array(z.strictObject({ at: z.number().min(0).max(1), value: Value })),
    /** Largest error of a quantile's rank, as a share of the rows; 0 where they are exact. */
    rankError: z.number().min(0),
    histogram: z.array(Bin),
    /** Values outside Tukey's fences: 1.5 times the middle half's width below or above it. */
    outliers: z.strictObject({ below: z.number(), above: z.number(), lowShare: z.number(), highShare: z.number() }).nullable(),
  }).nullable(),
  texts: z.strictObject({ empty: Count, shortest: Count.nullable(), longest: Count.nullable(), meanLength: Value }).nullable(),
  /** Most frequent first; counts are at most `valuesError` too small. */
  values: z.array(z.strictObject({ value: z.string(), count: Count, share: z.number() })), valuesError: Count, allValues: z.boolean(),
  /** Strength of the relation to the target, 0..1. */
  association: z.strictObject({ measure: z.enum(['correlation ratio', 'Cramér\'s V', 'Pearson']), value: z.number() }).nullable(),
});
export type ColumnSummary = z.infer<typeof ColumnSummary>;

/** `snapshots/<digest>/profile.json`, and what `--json` prints. */
export const ProfileSummary = z.strictObject({
  v: z.literal(1), kind: z.enum(['images', 'table']), rows: Count,
  target: z.strictObject({ name: z.string(), classes: z.array(z.strictObject({ name: z.string(), rows: Count, share: z.number() })).nullable() }),
  columns: z.array(ColumnSummary),
  /** Pearson's, of rows in which both are there; null where one of them does not vary. */
  correlations: z.strictObject({ columns: z.array(z.string()), values: z.array(z.array(Value)) }),
  image: DataProfile.shape.image,
  examples: z.array(ExamplePicture),
});
export type ProfileSummary = z.infer<typeof ProfileSummary>;
