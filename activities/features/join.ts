import type { SourceOf } from '../../definition/sources.js';
import { usedColumns } from '../../definition/view-use.js';
import { cachedFiles } from '../data/cached-files.js';
import { mayHold, stagedValue } from '../data/column-sql.js';
import { identifier, literal } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { eventTimeSql, microsecondSql } from '../data/event-time.js';
import { NAMED_ROWS } from '../data/findings.js';
import type { Reading } from '../data/reading.js';
import type { ActivityDeps } from '../deps.js';
import type { Findings, Severity } from '../data/findings.js';
import { keyColumns, valueColumns, valueOf } from './columns.js';
import type { OpenView } from './open-views.js';
import { timelineSql } from './timeline.js';

/** Names of the joined table's own columns: no source has such ones. */
const TIME = '"the time of the row"';
const ORDINAL = '"the number of the row"';
const ORIGIN = '"the place of the row"';
const keyName = (view: number, key: number) => `"key ${key} of view ${view}"`;
const valueName = (view: number, place: number) => `"value ${place} of view ${view}"`;

export interface JoinContext { readonly deps: Pick<ActivityDeps, 'artifacts' | 'scratch'>; readonly views: readonly OpenView[]; readonly findings: Findings; readonly severity: Severity; readonly signal: AbortSignal }

/** Columns that a source has to hold so that its rows can be joined. */
export function joiningColumns({ eventTime }: { readonly eventTime?: string | undefined }, views: readonly OpenView[]): string[] {
  return eventTime === undefined ? [] : [eventTime, ...views.flatMap(({ joined }) => joined.keys.map(({ input }) => input))];
}

/** Columns that views give, so that a source need not hold them. */
export function columnsOfViews(views: readonly OpenView[]): string[] {
  return views.flatMap(({ joined }) => joined.columns.map(({ input }) => input));
}

/**
 * Rows of a source with the columns of the views, each as of the row's own time: the newest event that was known by then. A joined value is never
 * of a time after the row's: the join's condition is `known time <= time of the row`, and no row is known before its event. Rows without a
 * time are reported and left out, so there is none that could see everything.
 * Null where columns are missing or cannot be what they have to be, which is a finding.
 */
export async function joinViews(duck: Duck, { deps, views, findings, severity, signal }: JoinContext, { source, index, name, reading }: {
  readonly source: Pick<SourceOf<'parquet'>, 'eventTime'>; readonly index: number; readonly name: string; readonly reading: Reading;
}): Promise<Reading | null> {
  const { eventTime } = source;
  if (eventTime === undefined) throw new TypeError(`${name}: rows are joined with what was known at their time, and the source names no column of it`);
  const typeOf = (column: string) => reading.types?.get(column) ?? 'VARCHAR';
  const missing = reading.types === null ? [] : [...new Set(joiningColumns(source, views))].filter((column) => !reading.types?.has(column));
  if (missing.length > 0) {
    findings.add('wrong-shape', 'block', `columns are missing: ${missing.join(', ')}`, name);
    return null;
  }
  const keys = views.flatMap(({ view, joined }, place) => keyColumns(view).map((column, key) => ({ column, input: joined.keys[key]?.input ?? column.name, name: keyName(place, key) })));
  const foreign = keys.filter(({ column, input }) => !mayHold(column, typeOf(input)));
  if (foreign.length > 0) {
    findings.add('wrong-type', 'block', `key columns of another type: ${foreign.map(({ column, input }) => `${input} (${typeOf(input)}) has to hold ${column.type}`).join('; ')}`, name);
    return null;
  }
  const table = identifier(`rows_${index}`);
  const keysSql = keys.map(({ column, input, name: as }) => `${stagedValue(column, reading.column(input, column.type === 'number' ? 'number' : 'text'), typeOf(input))} as ${as}`);
  await duck.run(`create or replace table ${table} as select *, ${reading.ordinal} as ${ORDINAL}, ${reading.origin} as ${ORIGIN},
    ${[`${eventTimeSql(reading.column(eventTime, 'text'), typeOf(eventTime), 'cut')} as ${TIME}`, ...keysSql].join(', ')} from ${reading.from} where ${reading.where}`);
  const timeless = await reportTimeless(duck, { table, eventTime, findings, severity });

  let from = `(select * from ${table} where ${TIME} is not null)`;
  for (const [place, open] of views.entries()) {
    signal.throwIfAborted();
    const timeline = await makeTimeline(duck, { deps, open, place, table, signal });
    const [on, values] = [keyColumns(open.view).map((_, key) => `r.${keyName(place, key)} = t.k${key}`), open.joined.columns];
    const fresh = `t.event_time >= r.${TIME} - interval (${open.joined.ttlMs}) milliseconds`;
    from = `(select r.*, ${values.map((value) => `case when ${fresh} then t.${valueOf(value.place)} end as ${valueName(place, value.place)}`).join(', ')}
      from ${from} r asof left join ${timeline} t on ${[...on, `r.${TIME} >= t.known_time`].join(' and ')})`;
  }
  const joined = new Map(views.flatMap((open, place) => usedColumns(open.use).map(({ as }, index_): [string, { sql: string; type: string }] => {
    const column = open.joined.columns[index_]?.place ?? 0;
    return [as, { sql: valueName(place, column), type: valueColumns(open.view)[column]?.type === 'number' ? 'DOUBLE' : 'VARCHAR' }];
  })));
  return {
    from,
    types: reading.types === null ? null : new Map([...reading.types, ...[...joined].map(([column, { type }]): [string, string] => [column, type])]),
    // Where every column is text, a number's shortest digits are read back as the same number.
    column: (column, as) => { const own = joined.get(column); return own ? `${own.sql}${reading.types === null ? '::varchar' : ''}` : reading.column(column, as); },
    ordinal: ORDINAL, origin: ORIGIN, where: 'true',
    async settle(staged) {
      await reading.settle(staged + timeless);
      await duck.run(`drop table ${table}`);
    },
  };
}

async function reportTimeless(duck: Duck, { table, eventTime, findings, severity }: { table: string; eventTime: string; findings: Findings; severity: Severity }): Promise<number> {
  const where = `from ${table} where ${TIME} is null`;
  const [bad] = await duck.rows<{ n: bigint }>(`select count(*) as n ${where}`);
  const count = Number(bad?.n ?? 0);
  if (count === 0) return 0;
  const named = await duck.rows<{ origin: string }>(`select ${ORIGIN} as origin ${where} order by ${ORDINAL} limit ${NAMED_ROWS}`);
  findings.addRows('missing-value', severity, `rows whose time (${eventTime}) is missing, or no time with an offset: what was known of them then cannot be told`, named.map(({ origin }) => origin), count);
  return count;
}

/** Only files and events that some row may see are looked at. */
async function makeTimeline(duck: Duck, { deps, open: { view, joined, manifest }, place, table, signal }: { deps: JoinContext['deps']; open: OpenView; place: number; table: string; signal: AbortSignal }): Promise<string> {
  const since = `min(${TIME}) - interval (${joined.ttlMs}) milliseconds`;
  const [span] = await duck.rows<{ since: string | null; until: string | null }>(`select ${microsecondSql(since)} as since, ${microsecondSql(`max(${TIME})`)} as until from ${table}`);
  const { since: first, until: last } = span ?? { since: null, until: null };
  const files = first === null || last === null ? [] : manifest.files.filter(({ from, to }) => to >= first && from <= last);
  const paths = await cachedFiles(deps, files.map(({ file }) => file), signal);
  const timeline = identifier(`timeline_${place}`);
  const columns = [...keyColumns(view).map((column, key) => `k${key} ${column.type === 'number' ? 'double' : 'varchar'}`), 'known_time timestamp, event_time timestamp', ...valueColumns(view).map(({ type }, value) => `${valueOf(value)} ${type === 'number' ? 'double' : 'varchar'}`)];
  await duck.run(`create or replace table ${timeline} (${columns.join(', ')})`);
  if (paths.length > 0) await duck.run(`insert into ${timeline} ${timelineSql(view, paths, `strptime(${literal(first ?? '')}, '%Y-%m-%dT%H:%M:%S.%fZ')`)}`);
  return timeline;
}
