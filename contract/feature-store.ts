import { z } from 'zod';
import { Ref, Sha256 } from './ref.js';
import { RunError } from './run.js';

/** An instant in UTC to the microsecond: `2026-01-31T08:00:00.000000Z`. Such texts sort as the times do. */
export const Microsecond = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);

/**
 * A file of a view's rows: Parquet, ordered by key, event time and known time. Columns: the key, by its names; `event_time`, from when the
 * values hold; `known_time`, before which nobody could have known them; `stated_time`, what the column `created` of the source said (all
 * timestamps in UTC, microseconds); the values, as a snapshot's shard holds them. Rows are never changed: a value that the source
 * has corrected is another row of the same event time, known later. `from` and `to` are its first and last event time.
 */
export const FeatureFile = z.strictObject({ rows: z.int().min(1), from: Microsecond, to: Microsecond, file: Ref });
export type FeatureFile = z.infer<typeof FeatureFile>;

/** What is stored of a view, as one content-addressed object: the same files are the same manifest. */
export const FeatureManifest = z.strictObject({ v: z.literal(1), view: z.string(), digest: Sha256, rows: z.int().min(0), files: z.array(FeatureFile) });
export type FeatureManifest = z.infer<typeof FeatureManifest>;

/** One materialisation of a view's content; `rowsAdded` of the rows that were read were new. */
export const Materialisation = z.object({
  id: z.string(), view: z.string(), digest: Sha256, asOf: z.iso.datetime(), status: z.enum(['running', 'done', 'failed']),
  rowsRead: z.int().nullable(), rowsAdded: z.int().nullable(), error: RunError.nullable(), startedAt: z.iso.datetime(), endedAt: z.iso.datetime().nullable(),
});
export type Materialisation = z.infer<typeof Materialisation>;

/** A view as it stands. `asOf`: the source is stored as it was then; `stale`: that is longer ago than the view's freshness allows. */
export const FeatureViewState = z.object({
  view: z.string(), repository: z.string(), path: z.string(), owner: z.object({ name: z.string(), email: z.string() }), purpose: z.string(), commit: z.string(), digest: Sha256,
  entity: z.array(z.string()), columns: z.array(z.string()), schedule: z.string(), freshness: z.string(), ttl: z.string(),
  asOf: z.iso.datetime().nullable(), stale: z.boolean(), rows: z.int(), entities: z.int(), files: z.int(), lastRun: Materialisation.nullable(), lastFailure: Materialisation.nullable(),
});
export type FeatureViewState = z.infer<typeof FeatureViewState>;
