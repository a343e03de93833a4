import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { PerennialError } from '../../contract/errors.js';
import { sqlVariable } from '../../contract/names.js';
import type { FeatureView } from '../../definition/feature-view.js';
import type { ActivityDeps } from '../deps.js';
import { isUnreadable, mayHold, stagedType, stagedValue } from '../data/column-sql.js';
import { duckMessage, identifier, literal } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { eventTimeSql } from '../data/event-time.js';
import { NAMED_ROWS } from '../data/findings.js';
import { filesAt } from '../data/listing.js';
import { openLocation, staysInside } from '../data/location.js';
import { readSql } from '../data/read-sql.js';
import type { Reading } from '../data/reading.js';
import { RefusedQuery } from '../data/sql-connection.js';
import { describeColumn } from '../../domain/cells.js';
import { keyColumns, keyOf, valueColumns, valueOf } from './columns.js';

export interface ReadRequest {
  readonly deps: ActivityDeps; readonly view: FeatureView; readonly folder: string; readonly signal: AbortSignal;
  /** Rows of this event time on; null: all. What the source holds behind `asOf` waits for its time. */
  readonly from: string | null; readonly asOf: string;
}

/** A view's rows cannot be stored as they are: says which, and what is wrong with them. No second try helps. */
export function blocked(view: string, message: string, rows: readonly string[] = []): PerennialError {
  return new PerennialError('features/blocked', `${view}: ${message}${rows.length === 0 ? '' : `: ${rows.join(', ')}`}`, { view, rows });
}

/**
 * Reads the source's rows into the table `candidates`: `origin`, key, `event_time`, `stated_time` and values. Of a query in one transaction.
 * Returns how many.
 * @throws PerennialError `features/blocked` for a source that cannot be read as the view says, `data/changed` for a file that changed meanwhile, `source/unavailable` for a server that is away
 */
export async function readSource(duck: Duck, request: ReadRequest): Promise<number> {
  const { view } = request;
  const columns = [...keyColumns(view).map(({ type }, index) => `${keyOf(index)} ${stagedType(type)}`), ...valueColumns(view).map(({ type }, index) => `${valueOf(index)} ${stagedType(type)}`)];
  await duck.run(`create or replace table candidates (origin varchar, event_time timestamp, stated_time timestamp, ${columns.join(', ')})`);
  try {
    await (view.source.kind === 'sql' ? readQuery(duck, request, view.source) : readFiles(duck, request, view.source));
  } catch (error) {
    if (error instanceof RefusedQuery) throw blocked(view.name, error.message);
    throw error;
  }
  const [row] = await duck.rows<{ n: bigint }>('select count(*) as n from candidates');
  return Number(row?.n ?? 0);
}

type SourceOf<K extends FeatureView['source']['kind']> = Extract<FeatureView['source'], { kind: K }>;

/** Behind the query's own text, so that a comment in its last line ends there. */
const BEFORE = 'select * from (';

async function readQuery(duck: Duck, request: ReadRequest, source: SourceOf<'sql'>): Promise<void> {
  const { deps, view, from, asOf, signal } = request;
  const url = deps.sqlConnection(source.connection);
  if (url === null) throw blocked(view.name, `the connection ${source.connection} is not set: ${sqlVariable(source.connection)} in the environment of the compute worker`);
  const time = pg.escapeIdentifier(view.timestamp);
  const query = `${BEFORE}${source.query.replace(/[;\s]+$/, '')}\n) as rows where ${time} is null or (${time} <= timestamptz ${literal(asOf)}${from === null ? '' : ` and ${time} >= timestamptz ${literal(from)}`})`;
  try {
    const reading = await readSql(duck, { source: { ...source, query }, url, application: `perennial materialisation of ${view.name}` }, 'answer', signal);
    await stage(duck, request, reading, `sql ${source.connection}`);
  } catch (error) {
    // The place in the team's own query, not in what was put around it.
    if (error instanceof RefusedQuery) throw new RefusedQuery(error.message.replace(/ at character (\d+)/, (_, place: string) => ` at character ${Math.max(1, Number(place) - BEFORE.length)}`));
    throw error;
  }
}

async function readFiles(duck: Duck, request: ReadRequest, source: SourceOf<'parquet'>): Promise<void> {
  const { deps, view, folder, signal } = request;
  const bound = await deps.stores.locations.get(source.location);
  if (!bound) throw blocked(view.name, `the location ${source.location} is not set: \`perennial location set ${source.location} URI\``);
  if (!staysInside(source.path)) throw blocked(view.name, `the path ${source.path} leaves its location ${source.location}`);
  const location = openLocation(bound.uri, deps.artifacts);
  const files = await filesAt(location, source.path);
  if (files.length === 0) throw blocked(view.name, `nothing is there: ${bound.uri}/${source.path}`);
  const downloads = join(folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  for (const { name } of files) {
    signal.throwIfAborted();
    const path = await location.local(name, downloads);
    try {
      await readFile(duck, request, name, path);
    } catch (error) {
      signal.throwIfAborted();
      await requireSame();
      if (error instanceof PerennialError) throw error;
      throw blocked(view.name, `${name} is no whole file of Parquet (${duckMessage(error)})`);
    } finally {
      if (path.startsWith(downloads)) await rm(path, { force: true });
    }
  }
  await requireSame();

  async function requireSame(): Promise<void> {
    const now = new Map((await filesAt(location, source.path)).map(({ name, mark }) => [name, mark]));
    const changed = files.find(({ name, mark }) => now.get(name) !== mark);
    if (changed) throw new PerennialError('data/changed', `${view.name}: ${changed.name} ${now.has(changed.name) ? 'was changed' : 'was removed'} while it was read`, { file: changed.name });
  }
}

async function readFile(duck: Duck, request: ReadRequest, name: string, path: string): Promise<void> {
  const from = `read_parquet([${literal(path)}], file_row_number = true)`;
  const described = await duck.rows<{ column_name: string; column_type: string }>(`describe select * from ${from}`);
  await stage(duck, request, {
    from, types: new Map(described.map(({ column_name, column_type }) => [column_name, column_type])), column: identifier, ordinal: 'file_row_number',
    origin: `${literal(name)} || ' row ' || file_row_number`, where: 'true', settle: () => Promise.resolve(),
  }, name);
}

async function stage(duck: Duck, { view, from, asOf }: ReadRequest, reading: Reading, name: string): Promise<void> {
  const types = reading.types ?? new Map<string, string>();
  const [keys, values] = [keyColumns(view), valueColumns(view)];
  const wanted = [...keys.map((key) => key.name), view.timestamp, ...(view.created === undefined ? [] : [view.created]), ...values.map((value) => value.name)];
  const missing = wanted.filter((column) => !types.has(column));
  if (missing.length > 0) throw blocked(view.name, `${name} has no column ${missing.join(', ')}; it has ${[...types.keys()].slice(0, 50).join(', ')}`);
  const typeOf = (column: string) => types.get(column) ?? 'VARCHAR';
  const foreign = [...keys, ...values].filter((column) => !mayHold(column, typeOf(column.name)));
  if (foreign.length > 0) throw blocked(view.name, `${name}: ${foreign.map((column) => `the column ${column.name} is ${typeOf(column.name)}, and has to hold ${describeColumn(column)}`).join('; ')}`);
  // In cells there is one zero: JSON writes -0 as 0.
  const staged = (columns: typeof keys, nameOf: (index: number) => string) => columns.map((column, index) => `${stagedValue(column, reading.column(column.name, 'text'), typeOf(column.name))}${column.type === 'number' ? ' + 0' : ''} as ${nameOf(index)}`);
  const time = (column: string) => eventTimeSql(reading.column(column, 'text'), typeOf(column), 'raised');
  const window = `event_time is null or (event_time <= ${timestamp(asOf)} and coalesce(stated_time <= ${timestamp(asOf)}, true)${from === null ? '' : ` and event_time >= ${timestamp(from)}`})`;
  await duck.run(`insert into candidates by name select * from (select ${reading.origin} as origin, ${time(view.timestamp)} as event_time, ${view.created === undefined ? 'null::timestamp' : time(view.created)} as stated_time,
    ${[...staged(keys, keyOf), ...staged(values, valueOf)].join(', ')} from ${reading.from} where ${reading.where}) where ${window}`);
  await reading.settle(0);
}

/** An ISO instant in UTC as SQL. */
export function timestamp(iso: string): string {
  return `timestamp ${literal(iso.replace('T', ' ').replace('Z', ''))}`;
}

/** Rows that cannot be stored: without a key or a time, with values that are not of their columns' types, or twice and not alike. */
export async function checkCandidates(duck: Duck, view: FeatureView): Promise<void> {
  const [keys, values] = [keyColumns(view), valueColumns(view)];
  const faults = [
    ...keys.map((key, index) => ({ message: `the key column ${key.name} has to be ${describeColumn(key)}`, where: `(${keyOf(index)} is null or ${isUnreadable(key, keyOf(index))})` })),
    { message: `the event time ${view.timestamp} has to be a time with an offset, to the microsecond`, where: 'event_time is null' },
    ...(view.created === undefined ? [] : [{ message: `the column ${view.created} has to be a time with an offset, to the microsecond`, where: 'stated_time is null' }]),
    ...values.map((column, index) => ({ message: `the column ${column.name} has to be ${describeColumn(column)}`, where: column.nullable ? isUnreadable(column, valueOf(index)) : `(${valueOf(index)} is null or ${isUnreadable(column, valueOf(index))})` })),
  ];
  const [counts] = await duck.rows<Record<string, bigint>>(`select ${faults.map(({ where }, index) => `count(*) filter (where ${where}) as f${index}`).join(', ')} from candidates`);
  for (const [index, { message, where }] of faults.entries()) {
    const count = Number(counts?.[`f${index}`] ?? 0);
    if (count === 0) continue;
    const rows = await duck.rows<{ origin: string }>(`select origin from candidates where ${where} order by origin limit ${NAMED_ROWS}`);
    throw blocked(view.name, `${message}; ${count} ${count === 1 ? 'row is' : 'rows are'} not`, rows.map(({ origin }) => origin));
  }
  const same = [...keys.map((_, index) => keyOf(index)), 'event_time', 'stated_time'].join(', ');
  const cells = `row(${values.map((_, index) => valueOf(index)).join(', ')})`;
  const twice = await duck.rows<{ origins: string }>(`select min(origin) || ' and ' || max(origin) as origins from candidates group by ${same} having count(distinct ${cells}) > 1 order by 1 limit ${NAMED_ROWS}`);
  if (twice.length > 0) throw blocked(view.name, `rows of one key and event time${view.created === undefined ? '' : ` and ${view.created}`} have to be alike`, twice.map(({ origins }) => origins));
}
