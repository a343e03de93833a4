import { literal, type Duck } from '../data/duckdb.js';
import { ARCHIVED_COLUMNS } from '../../stores/prediction-archives.js';
import type { PredictionArchivesStore } from '../../stores/prediction-archives.js';
import type { ByDay } from '../../stores/prediction-partitions.js';

/** The columns of a day's file, of the types that they have there, from the table that {@link loadDay} makes. */
export const typedColumns = (log: ByDay): string => ARCHIVED_COLUMNS[log].map(({ name, type }) => `"${name}"::${type} as "${name}"`).join(', ');

/** Reads a day, of all models or of some, from PostgreSQL into the table `logged`, as texts and bytes. Gives how many rows it has. */
export async function loadDay(duck: Duck, archives: Pick<PredictionArchivesStore, 'rows'>, log: ByDay, day: string, signal: AbortSignal, models: readonly string[] | null = null): Promise<number> {
  let rows = 0;
  await duck.run(`create table logged (${ARCHIVED_COLUMNS[log].map(({ name, type }) => `"${name}" ${type === 'blob' ? 'blob' : 'varchar'}`).join(', ')})`);
  const appender = await duck.connection.createAppender('logged');
  for await (const page of archives.rows(log, day, models)) {
    signal.throwIfAborted();
    for (const row of page) {
      for (const value of row) {
        if (value === null) appender.appendNull();
        else if (typeof value === 'string') appender.appendVarchar(value);
        else appender.appendBlob(value);
      }
      appender.endRow();
    }
    appender.flushSync();
    rows += page.length;
  }
  appender.closeSync();
  return rows;
}

/** Writes what a query gives to a Parquet file; gives how many rows the file has, read back. */
export async function writeParquet(duck: Duck, query: string, path: string): Promise<number> {
  await duck.run(`copy (${query}) to ${literal(path)} (format parquet, compression zstd)`);
  const [written] = await duck.rows<{ n: bigint }>(`select count(*) as n from read_parquet(${literal(path)})`);
  return Number(written?.n ?? -1);
}
