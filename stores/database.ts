import pg from 'pg';
import { isTransient, translateDatabaseError } from './database-errors.js';
import { createListener } from './listener.js';
import { storableText } from './values.js';

/**
 * The port to PostgreSQL. Times come back as ISO strings (UTC), `bigint` as a number, JSON parsed.
 * Every method throws PerennialError `database/unavailable` where the server is away.
 */
export interface Database {
  /** Rows of one statement. Without `params` several statements may stand in `sql`. */
  query<T = unknown>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  /**
   * Runs `fn` in one transaction (READ COMMITTED), again up to twice where the server ended it for a deadlock, so `fn` holds database work only.
   * On the `tx` itself it joins the transaction that runs.
   */
  transaction<T>(fn: (tx: Database) => Promise<T>): Promise<T>;
  /**
   * Calls `handler` with the payload of every NOTIFY on `channel`, and with '' after the connection was lost and made again: something
   * may have been missed. Resolves when listening, or when the first try failed (it goes on trying). Gives the function that ends it.
   */
  listen(channel: string, handler: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Most connections at once; 8 unless told. */
  readonly max?: number;
  readonly applicationName?: string;
  /** A statement that takes longer is ended; 60,000 unless told. */
  readonly statementTimeoutMs?: number;
}

const TIMESTAMPTZ = 1184;
const INT8 = 20;
const isoTime = (text: string): string => new Date(text).toISOString();
/** Own parsers, so that nothing global changes for other users of `pg` in the process. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === TIMESTAMPTZ) return isoTime;
    if (oid === INT8) return Number;
    return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
  }) as typeof pg.types.getTypeParser,
};

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  return value;
}

async function run<T>(on: pg.Pool | pg.PoolClient, sql: string, params: readonly unknown[] | undefined): Promise<T[]> {
  try {
    const result = params === undefined ? await on.query(sql) : await on.query(sql, params.map(storable));
    return result.rows as T[];
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

const ATTEMPTS = 3;

/** A pool of connections to `url`; nothing is connected before the first use. */
export function createDatabase(url: string, { max = 8, applicationName = 'perennial', statementTimeoutMs = 60_000 }: DatabaseOptions = {}): Database {
  const connection: pg.ClientConfig = { connectionString: url, application_name: applicationName, connectionTimeoutMillis: 5_000, keepAlive: true, types };
  const pool = new pg.Pool({
    ...connection, max, idleTimeoutMillis: 30_000, allowExitOnIdle: true,
    statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + 5_000, idle_in_transaction_session_timeout: 60_000,
  });
  pool.on('error', () => undefined); // an idle connection that breaks: the pool drops it, the next use reports what is wrong
  const listener = createListener(connection);

  async function connect(): Promise<pg.PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  async function once<T>(fn: (tx: Database) => Promise<T>): Promise<T> {
    const client = await connect();
    let broken: Error | undefined;
    const onError = (error: Error) => { broken = error; };
    client.on('error', onError);
    try {
      await run(client, 'begin', undefined);
      const result = await fn(inTransaction(client));
      await run(client, 'commit', undefined);
      return result;
    } catch (error) {
      try {
        await client.query('rollback');
      } catch (failure) {
        broken ??= failure instanceof Error ? failure : new Error(String(failure));
      }
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  function inTransaction(client: pg.PoolClient): Database {
    const tx: Database = {
      query: (sql, params) => run(client, sql, params),
      transaction: (fn) => fn(tx),
      listen: (channel, handler) => listener.listen(channel, handler),
      close: async () => { throw new Error('A transaction does not close the database'); },
    };
    return tx;
  }

  let closing: Promise<void> | undefined;
  return {
    query: (sql, params) => run(pool, sql, params),
    async transaction(fn) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(fn);
        } catch (error) {
          if (attempt >= ATTEMPTS || !isTransient(error)) throw error;
        }
      }
    },
    listen: (channel, handler) => listener.listen(channel, handler),
    close: () => (closing ??= Promise.all([listener.close(), pool.end()]).then(() => undefined)),
  };
}
