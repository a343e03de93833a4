import type { Duck } from './duckdb.js';
import type { ListedSource } from './listing.js';
import { readSql } from './read-sql.js';
import { RefusedQuery } from './sql-connection.js';
import { stageReading } from './stage-files.js';
import { stagedRows } from './table-staging.js';
import type { TableContext } from './tables.js';

/** Rows of a query. One that PostgreSQL refuses is a finding; a server that is away is waited for. */
export async function stageSql(duck: Duck, context: TableContext, { source, url, description }: Extract<ListedSource, { kind: 'sql' }>, index: number): Promise<number> {
  const { model, findings, signal } = context;
  try {
    const reading = await readSql(duck, { source, url, application: `perennial snapshot of ${model}` }, `answer_${index}`, signal);
    await stageReading(duck, context, { source, index, name: description, reading });
  } catch (error) {
    if (!(error instanceof RefusedQuery)) throw error;
    findings.add('source-failed', 'block', error.message, description);
  }
  return stagedRows(duck, index);
}
