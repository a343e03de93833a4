import { identifier, literal } from './duckdb.js';
import { NUMBERED } from './reading.js';
import type { FileToRead, Reading } from './reading.js';

/** A Parquet file keeps its own types; DuckDB finds out while it reads whether the file is whole. */
export async function readParquet({ duck, name, path }: FileToRead<'parquet'>): Promise<Reading> {
  const from = `read_parquet([${literal(path)}], file_row_number = true)`;
  const described = await duck.rows<{ column_name: string; column_type: string }>(`describe select * from ${from}`);
  return {
    from, types: new Map(described.map(({ column_name, column_type }) => [column_name, column_type])),
    column: identifier, ordinal: 'file_row_number', origin: `${literal(`${name}${NUMBERED}`)} || file_row_number`, originBefore: literal(`${name}${NUMBERED}`), anyOrder: true, where: 'true',
    settle: () => Promise.resolve(),
  };
}
