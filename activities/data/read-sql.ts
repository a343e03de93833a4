import Cursor from 'pg-cursor';
import type pg from 'pg';
import { durationMs } from '../../definition/common.js';
import type { SourceOf } from '../../definition/sources.js';
import { identifier, literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import type { Reading } from './reading.js';
import { openReadOnly, RefusedQuery, translateSqlError } from './sql-connection.js';

type Query = Pick<SourceOf<'sql'>, 'connection' | 'query' | 'timeout'>;

/** Rows that are in memory at a time. */
const ROWS_AT_ONCE = 5_000;
const NUMBER = 'number of the row';
/** Type ids of PostgreSQL (pg_type.dat) whose text is brought into the form that files have. */
const [BOOLEAN, FLOAT4, TIMESTAMP, TIMESTAMPTZ] = [16, 700, 1114, 1184];

/**
 * Rows of a query, in a table of their own until they are staged. They come through a cursor, so that neither side holds all of them. Every value is
 * its text: digits of numeric and bigint are as PostgreSQL has them.
 * @throws PerennialError `source/unavailable` for a server that is away or goes away; RefusedQuery
 */
export async function readSql(duck: Duck, { source, url, application }: { source: Query; url: string; /** What the server sees. */ application: string }, table: string, signal: AbortSignal): Promise<Reading> {
  const timeoutMs = durationMs(source.timeout);
  const client = await openReadOnly(url, source.connection, { application, timeoutMs });
  // A server that hangs answers nothing: then the connection itself is ended, which ends what waits for it.
  let late = false;
  const destroy = () => { (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy(); };
  const timer = setTimeout(() => { late = true; destroy(); }, timeoutMs);
  signal.addEventListener('abort', destroy);
  try {
    const names = await fetchInto(duck, client, source.query, table, signal);
    return {
      from: identifier(table), types: new Map(names.map((name) => [name, 'VARCHAR'])), column: identifier,
      ordinal: identifier(NUMBER), origin: `${literal(`${source.connection} row `)} || ${identifier(NUMBER)}`, anyOrder: true, where: 'true',
      settle: () => duck.run(`drop table ${identifier(table)}`),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (late) throw new RefusedQuery(`the query took longer than its \`timeout\` of ${source.timeout}`);
    throw translateSqlError(error, source.connection);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', destroy);
    await client.end().catch(() => undefined); // a connection that is gone has ended
  }
}

async function fetchInto(duck: Duck, client: pg.Client, query: string, table: string, signal: AbortSignal): Promise<string[]> {
  const cursor = client.query(new Cursor<string[]>(query, [], { rowMode: 'array', types: { getTypeParser: () => (value: string) => value } }));
  const ended = new Promise<never>((_, reject) => { client.once('end', () => { reject(new Error('Connection terminated')); }); });
  ended.catch(() => undefined);
  const next = () => Promise.race([ended, new Promise<{ rows: (string | null)[][]; fields: pg.FieldDef[] }>((resolve, reject) => {
    // The callback gives the columns as well, also where there is no row; behind the last one it gives nothing.
    cursor.read(ROWS_AT_ONCE, (error: Error | null | undefined, rows, result) => { if (error) reject(error); else resolve({ rows, fields: (result as pg.QueryArrayResult | undefined)?.fields ?? [] }); });
  })]);
  const first = await next();
  const names = columnsOf(first.fields);
  await duck.run(`create table ${identifier(table)} (${identifier(NUMBER)} bigint, ${names.map((name) => `${identifier(name)} varchar`).join(', ')})`);
  const forms = first.fields.map(({ dataTypeID }) => formOf(dataTypeID));
  const appender = await duck.connection.createAppender(table);
  let number = 0;
  for (let { rows } = first; rows.length > 0; { rows } = await next()) {
    signal.throwIfAborted();
    for (const row of rows) {
      appender.appendBigInt(BigInt(++number));
      row.forEach((value, place) => {
        if (value === null) appender.appendNull();
        else appender.appendVarchar(forms[place]?.(value) ?? value);
      });
      appender.endRow();
    }
    appender.flushSync();
  }
  appender.closeSync();
  return names;
}

function columnsOf(fields: readonly pg.FieldDef[]): string[] {
  if (fields.length === 0) throw new RefusedQuery('the query gives no columns: it has to be a select');
  const names = fields.map(({ name }) => name);
  const twice = names.find((name, index) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) < index);
  if (twice !== undefined) throw new RefusedQuery(`the query gives the column ${twice} twice: name them with \`as\``);
  return names;
}

function formOf(type: number): ((text: string) => string) | undefined {
  switch (type) {
    case BOOLEAN: return (text) => (text === 't' ? 'true' : 'false');
    // Its shortest digits are those of 32 bits; the number itself has more.
    case FLOAT4: return (text) => (Number.isFinite(Number(text)) ? String(Math.fround(Number(text))) : text);
    case TIMESTAMP: return (text) => `${text}+00:00`;
    case TIMESTAMPTZ: return (text) => (/[+-]\d\d$/.test(text) ? `${text}:00` : text);
    default: return undefined;
  }
}
