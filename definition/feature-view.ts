import { z } from 'zod';
import { Column, ColumnType, typedColumns } from './columns.js';
import { Duration, durationMs, Email, Label } from './common.js';

/** A feature view's name: it appears in workflow ids and URLs. */
export const ViewName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a view name is lower case: a letter, then up to 62 letters, digits or hyphens');

const Sql = z.strictObject({
  kind: z.literal('sql'),
  connection: Label.describe('operators give the worker its address, so that no definition holds a password'),
  query: z.string().min(1).max(100_000),
  timeout: Duration.default('30m'),
}).describe('rows of a query to PostgreSQL');
const Parquet = z.strictObject({ kind: z.literal('parquet'), location: Label, path: z.string().min(1) }).describe('rows of Parquet files');

/** Where a view's rows come from. */
export const FeatureSource = z.discriminatedUnion('kind', [Sql, Parquet]);
export type FeatureSource = z.infer<typeof FeatureSource>;

/** Columns of the feature store itself, which a view's columns cannot be named like. */
const TAKEN = ['event_time', 'known_time', 'stated_time'];

/** A key column: whatever its type, every row has it. */
const EntityColumn = z.strictObject({ name: Label, type: ColumnType });

/**
 * What is known of an entity, and since when: rows of key, event time and values. Materialised by a workflow into Parquet, for training
 * sets as of each row's time, and into PostgreSQL, for predictions.
 */
export const FeatureView = z.strictObject({
  schema: z.literal(1),
  name: ViewName,
  owner: z.strictObject({ name: z.string().min(1), email: Email }),
  purpose: z.string().min(1),
  entity: z.array(EntityColumn).min(1).max(8).describe('key columns: together they name what the values are about'),
  timestamp: Label.describe('the column of the event time: from then on the values hold'),
  created: Label.optional().describe('a column of the time at which the row was written, where that may be later than the event'),
  source: FeatureSource,
  columns: z.array(Column).min(1).max(1000).describe('the values'),
  schedule: Duration.describe('time between materialisations'),
  overlap: Duration.default('1d').describe('how far back a materialisation reads again, for rows that came late'),
  ttl: Duration.describe('a value that is older than this at a row\'s time counts as missing, in training as in serving'),
  freshness: Duration.describe('how long ago the view may have been brought up to date when a prediction is asked'),
  whenStale: z.enum(['refuse', 'null']).default('refuse').describe('what becomes of a prediction when it is older: an error, or missing values'),
}).superRefine((view, context) => {
  for (const { path, expected } of contradictions(view)) context.addIssue({ code: 'custom', path, message: expected });
});
export type FeatureView = z.infer<typeof FeatureView>;
/** What a team writes: defaults may be left out. */
export type FeatureViewInput = z.input<typeof FeatureView>;

function contradictions({ entity, timestamp, created, columns, schedule, freshness }: z.output<typeof FeatureView>): { path: (string | number)[]; expected: string }[] {
  const found: { path: (string | number)[]; expected: string }[] = [];
  const named = [
    ...entity.map(({ name }, index) => ({ name, path: ['entity', index, 'name'] })), { name: timestamp, path: ['timestamp'] },
    ...(created === undefined ? [] : [{ name: created, path: ['created'] }]), ...typedColumns(columns).map(({ name }, index) => ({ name, path: ['columns', index] })),
  ];
  named.forEach(({ name, path }, index) => {
    if (named.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) < index) found.push({ path, expected: `another name than ${name}, which is taken` });
    if (TAKEN.includes(name.toLowerCase()) && path[0] !== 'timestamp' && path[0] !== 'created') found.push({ path, expected: `another name than ${TAKEN.join(', ')}, which the feature store uses itself` });
  });
  if (durationMs(schedule) < 1_000) found.push({ path: ['schedule'], expected: 'at least 1s' });
  if (durationMs(freshness) < durationMs(schedule)) found.push({ path: ['freshness'], expected: `at least the schedule of ${schedule}: between two materialisations the view would be stale` });
  return found;
}

/** The fields that decide what is stored: with another value of one of them, a view is materialised anew, from the beginning. */
export const CONTENT_FIELDS = ['entity', 'timestamp', 'created', 'source', 'columns'] as const satisfies readonly (keyof FeatureView)[];
