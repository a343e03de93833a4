import { z } from 'zod';
import { Column } from '../definition/columns.js';
import { ReplacingAction } from '../definition/personal.js';
import { JoinedView } from './joined-view.js';
import { Commit, Instant, Ref, Sha256 } from './ref.js';

export const Split = z.enum(['train', 'validation', 'test']);
export type Split = z.infer<typeof Split>;

/**
 * A shard: Parquet, rows ordered by key, columns `key` (text), `split`, `label` (text; of a regression double), `attributes` (JSON text) and either
 * `image` (the encoded picture's bytes) or the table's columns: number as double, text as varchar, boolean as boolean, time as
 * varchar (`2026-01-31T08:00:00.000Z`: milliseconds, UTC); null only where the column is nullable.
 *
 * `digest` is over the rows, not over the file. Of a table whose manifest says `rowDigest: 2` it is the sha256 over these parts, one behind the other:
 * 1. in UTF-8, the canonical JSON (RFC 8785) of `{columns, label, split}`: each column's `{name, nullable, type}` in their order, `number` or `text`, and the shard's split;
 * 2. of key, label, attributes and each column, in this order, as binary sha256, over all rows in the order of their keys (as bytes):
 *    - of numbers one, over each as a little-endian double, zero without a sign; of times the same, over milliseconds since 1970; missing is the double `7ff8000000000000`;
 *    - of texts, and booleans as `true` and `false`, two: over the number of bytes of each text in UTF-8, as a little-endian integer of 32 bits, missing being `ffffffff`; and over the
 *      bytes of each text, of one longer than 64 bytes its sha256 in hexadecimal instead, of a missing one nothing.
 *
 * Where the manifest does not say so it is the sha256 of the lines (without one at the end) that are each row's sha256 in hexadecimal, over the canonical row: a JSON array of key, split,
 * label, attributes and, in the order of the columns, each text, boolean and time as text (or null), and of each nullable number `""` (or null); then the eight bytes of each number that
 * is there, most significant first. The label of a regression is the shortest text that reads as the same number. Of pictures: the sha256 of lines, each ended, of a row's canonical JSON
 * `{attributes, image, key, label, split}`, `image` being the digest of its pixels.
 */
export const Shard = z.strictObject({ index: z.int().min(0), split: Split, rows: z.int().min(0), digest: Sha256.describe('over the rows, not over the file'), file: Ref });
export type Shard = z.infer<typeof Shard>;

/** What the label is: one of the classes (also without a task), or a number. */
export const SnapshotTarget = z.discriminatedUnion('task', [
  z.strictObject({ task: z.literal('classification').optional(), name: z.string(), classes: z.array(z.string()) }),
  z.strictObject({ task: z.literal('regression'), name: z.string() }),
]);
export type SnapshotTarget = z.infer<typeof SnapshotTarget>;

/** Where rows came from; terms of use and the days on which they were collected, as the definition said when the snapshot was made. */
export const SnapshotSource = z.strictObject({ description: z.string(), rows: z.int(), terms: z.string().optional(), collected: z.strictObject({ from: z.string(), to: z.string() }).optional() });
export type SnapshotSource = z.infer<typeof SnapshotSource>;

/** Columns whose values were replaced, and the name of the key that their pseudonyms were made with. */
export const SnapshotPersonal = z.strictObject({ key: z.string(), columns: z.record(z.string(), ReplacingAction) });
export type SnapshotPersonal = z.infer<typeof SnapshotPersonal>;

/** `snapshots/<digest>/manifest.json`. The digest covers `content` only: the same rows give the same snapshot. */
export const SnapshotManifest = z.strictObject({
  v: z.literal(1),
  digest: Sha256,
  content: z.strictObject({
    kind: z.enum(['images', 'table']),
    model: z.string(),
    target: SnapshotTarget,
    image: z.strictObject({ name: z.string(), height: z.int(), width: z.int(), channels: z.int() }).optional(),
    columns: z.array(Column).optional(),
    personal: SnapshotPersonal.optional(),
    /** What of the columns came from feature views, each named by the digest of what decides its rows. */
    views: z.array(JoinedView).optional(),
    /** How the shards' digests are made, see {@link Shard}; left out: as at first. */
    rowDigest: z.literal(2).optional(),
    shards: z.array(z.strictObject({ index: z.int(), split: Split, rows: z.int(), digest: Sha256 })),
  }),
  shards: z.array(Shard),
  /** Rows per split, per class (of a regression none), per attribute value (`light=night`). */
  counts: z.strictObject({ bySplit: z.record(z.string(), z.int()), byClass: z.record(z.string(), z.int()), byAttribute: z.record(z.string(), z.int()) }),
  sources: z.array(SnapshotSource),
  /** The run that made it first, of which commit, whose cause it was. */
  made: z.strictObject({ run: z.string(), commit: Commit, by: z.string(), at: Instant }).optional(),
  /** Where validation and test begin, of sources (by their place in the definition) that are divided by shares of a time; null: never. `rule` is a digest over column and shares. */
  boundaries: z.array(z.strictObject({ rule: Sha256, column: z.string(), sources: z.array(z.int()), validationFrom: Instant.nullable(), testFrom: Instant.nullable() })).optional(),
});
export type SnapshotManifest = z.infer<typeof SnapshotManifest>;

/**
 * How one expectation of the definition was met. `observed` is the share of values that hold, or the statistic itself (an ISO time of
 * `fresh`); null where there was no value. `missed` counts rows, where the expectation is about rows.
 */
export const ExpectationResult = z.strictObject({
  kind: z.string(), expectation: z.string(), severity: z.enum(['block', 'warn']), passed: z.boolean(),
  observed: z.union([z.number(), z.string()]).nullable(), missed: z.number().nullable(),
  /** Up to 20 rows that miss it, with their value. */
  rows: z.array(z.string()).max(20),
});
export type ExpectationResult = z.infer<typeof ExpectationResult>;

/** One thing that was held against the snapshot before: a share, a distance, or rows as a multiple; `limit` is what it may be. */
export const SnapshotDifference = z.strictObject({
  kind: z.enum(['column', 'rows', 'classes', 'missing', 'shift']), about: z.string(), value: z.number().nullable(), limit: z.number().nullable(),
  exceeded: z.boolean(), severity: z.enum(['block', 'warn']), message: z.string(),
});
export type SnapshotDifference = z.infer<typeof SnapshotDifference>;

/** What validation found; `blocked` means nothing may train on it. */
export const DataReport = z.strictObject({
  v: z.literal(1),
  blocked: z.boolean(),
  findings: z.array(z.strictObject({
    check: z.enum(['unreadable', 'duplicate', 'conflicting-label', 'empty-class', 'too-few-rows', 'wrong-shape', 'unknown-class', 'not-a-number', 'constant-target', 'missing-value', 'wrong-type', 'missing-source', 'expectation', 'changed', 'personal-data', 'across-splits', 'near-duplicate', 'target-leak', 'source-failed', 'erased', 'frozen', 'blank', 'brightness']),
    severity: z.enum(['block', 'warn', 'drop']),
    count: z.int(), message: z.string(),
    /** The first rows concerned, by key or file. */
    rows: z.array(z.string()).max(20),
  })),
  /** Every expectation of the definition; left out where there is none. */
  expectations: z.array(ExpectationResult).optional(),
  /** Against the snapshot before; left out where the definition asks for no comparison, or there is none before. */
  comparison: z.strictObject({ previous: Sha256, differences: z.array(SnapshotDifference) }).optional(),
});
export type DataReport = z.infer<typeof DataReport>;
