import pg from 'pg';
import { PerennialError } from '../../contract/errors.js';

/** What the server says of the query or of its own rules: no second try helps. Its message and place, as they are told. */
export class RefusedQuery extends Error {
  override readonly name = 'RefusedQuery';
}

const TEXT = (value: string) => value;

/**
 * A connection that reads: one transaction, repeatable read and read only, so that all rows are of one instant. Values come as the text
 * that PostgreSQL writes, times in UTC.
 * @param name what the connection is called; its address is in no message
 * @throws PerennialError `source/unavailable`; RefusedQuery for a login that is refused
 */
export async function openReadOnly(url: string, name: string, { application, timeoutMs }: { application: string; timeoutMs: number }): Promise<pg.Client> {
  const client = await connecting(url, name, application);
  // A connection that breaks while nothing is asked ends the next question; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.query('begin transaction isolation level repeatable read, read only');
    await client.query(`set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local extra_float_digits = 1; set local bytea_output = 'hex'; set local statement_timeout = ${timeoutMs}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateSqlError(error, name);
  }
}

async function connecting(url: string, name: string, application: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({ connectionString: url, application_name: application, connectionTimeoutMillis: 10_000, keepAlive: true, types: { getTypeParser: () => TEXT } });
    await client.connect();
    return client;
  } catch (error) {
    throw translateSqlError(error, name);
  }
}

/** Classes of SQLSTATE for a server that cannot work now: connection, resources, operator intervention, system error, conflict with recovery. */
const AWAY = new Set(['08', '40', '53', '57', '58']);
const LOGIN = new Set(['28', '3D']);
const CANCELED = '57014';

/** An error of the driver or the server, without the address, the user or the password: what they hold may be in its message. */
export function translateSqlError(error: unknown, name: string): Error {
  if (error instanceof RefusedQuery || error instanceof PerennialError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const state = /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code) ? code : null;
  if (state === null) return new PerennialError('source/unavailable', `the database of the connection ${name} did not answer (${code || 'the connection ended'})`, { connection: name });
  if (LOGIN.has(state.slice(0, 2))) return new RefusedQuery(`the database of the connection ${name} refuses its user, password or database (${state})`);
  if (state === CANCELED) return new RefusedQuery(`the query was cancelled by the server, or took longer than its \`timeout\` (${state})`);
  if (AWAY.has(state.slice(0, 2))) return new PerennialError('source/unavailable', `the database of the connection ${name} ended the query (${state})`, { connection: name });
  const { message, position, hint } = error as pg.DatabaseError;
  return new RefusedQuery(`PostgreSQL refuses the query: ${message}${position === undefined ? '' : ` at character ${position}`} (${state})${hint === undefined ? '' : `; ${hint}`}`);
}
