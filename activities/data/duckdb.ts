import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance as Instance, DuckDBValue } from '@duckdb/node-api';
import { diskFull } from '../../contract/disk-full.js';
import { DuckDBInstance } from '../../runtime/data/duckdb-library.js';

/** What DuckDB counts: tables and what queries hold. What it does not count, as files being written, is half as much again and more. */
const MEMORY_LIMIT = '256MB';

/** A DuckDB of one attempt: it keeps to little memory and spills into the attempt's folder. `close()` it. An aborted `signal` ends what it is doing. A full disk is `storage/full`. */
export interface Duck {
  readonly connection: DuckDBConnection;
  run(sql: string, values?: readonly DuckDBValue[]): Promise<void>;
  /** Gives how many rows were inserted, updated or deleted. */
  change(sql: string): Promise<number>;
  rows<T extends Record<string, DuckDBValue>>(sql: string, values?: readonly DuckDBValue[]): Promise<T[]>;
  /** Another connection to the same database, which works while this one does. It ends with this one. */
  beside(): Promise<Duck>;
  close(): void;
}

export async function openDuck(folder: string, signal?: AbortSignal): Promise<Duck> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT, temp_directory: join(folder, 'duckdb-spill'), threads: String(Math.min(4, availableParallelism())),
    // Nothing is fetched at run time: JSON and Parquet are built in.
    autoinstall_known_extensions: 'false',
  });
  const others: Duck[] = [];
  const first = await connect(instance, folder, signal, others);
  return {
    ...first,
    close: () => {
      for (const other of others) other.close();
      first.close();
      instance.closeSync();
    },
  };
}

async function connect(instance: Instance, folder: string, signal: AbortSignal | undefined, others: Duck[]): Promise<Duck> {
  const connection = await instance.connect();
  const interrupt = () => { connection.interrupt(); };
  signal?.addEventListener('abort', interrupt);
  const asking = async <T>(statement: () => Promise<T>): Promise<T> => {
    try {
      return await statement();
    } catch (error) {
      throw diskFull(error, `a file in ${folder}`) ?? error;
    }
  };
  return {
    connection,
    run: (sql, values) => asking(async () => { await connection.run(sql, values ? [...values] : undefined); }),
    change: (sql) => asking(async () => (await connection.run(sql)).rowsChanged),
    rows: <T extends Record<string, DuckDBValue>>(sql: string, values?: readonly DuckDBValue[]) =>
      asking(async () => (await connection.runAndReadAll(sql, values ? [...values] : undefined)).getRowObjects() as T[]),
    beside: async () => {
      const other = await connect(instance, folder, signal, others);
      others.push(other);
      return other;
    },
    close: () => {
      signal?.removeEventListener('abort', interrupt);
      connection.closeSync();
    },
  };
}

/** `"name"`, safe inside SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `'text'`, safe inside SQL, for places that take no parameter. */
export function literal(text: string): string {
  return `'${text.replaceAll('\'', '\'\'')}'`;
}

/** The first line of what DuckDB says: the rest points into the statement. */
export function duckMessage(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
