import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { DataProfile } from '../../../contract/data-profile.js';
import type { TypedColumn } from '../../../definition/columns.js';
import { DataSketch } from '../../../domain/profile/data-sketch.js';
import type { ColumnChunk } from '../../../domain/profile/data-sketch.js';
import { identifier, literal } from '../duckdb.js';

/** DuckDB's rows of a chunk. */
const CHUNK_ROWS = 2048;
/** A text's beginning decides whether it is another one. */
const TEXT_CHARACTERS = 1000;

export interface ProfiledRows {
  /** What SQL selects from: columns as a shard has them, and `label`. */
  readonly from: string; readonly columns: readonly TypedColumn[]; readonly target: { readonly name: string; readonly classes: readonly string[] | null };
  /** Another number for every part that will be merged. */
  readonly seed: number; readonly signal: AbortSignal;
}

/** Streams rows once and profiles them: a chunk of them and the sketches are in memory, however many there are. */
export async function profileRows(connection: Pick<DuckDBConnection, 'stream'>, { from, columns, target, seed, signal }: ProfiledRows): Promise<DataProfile> {
  // A target that is a number is profiled as a column of its own, so that correlations with it are known.
  const numericTarget: TypedColumn[] = target.classes === null ? [{ name: target.name, type: 'number', nullable: false }] : [];
  const profiled = [...columns, ...numericTarget];
  const sketch = new DataSketch('table', target, profiled, seed);
  // One array for each column, filled again with every chunk: the sketches keep nothing of it.
  const numbers = profiled.map(() => new Float64Array(CHUNK_ROWS));
  const selected = [...columns.map((column) => columnSql(column, identifier(column.name))), ...numericTarget.map((column) => columnSql(column, 'label'))];
  const result = await connection.stream(`select label::varchar, ${selected.join(', ')} from ${from}`);
  // DuckDB reads the next rows while these are looked at.
  let next = result.fetchChunk();
  try {
    for (let chunk = await next; chunk && chunk.rowCount > 0; chunk = await next) {
      signal.throwIfAborted();
      next = result.fetchChunk();
      sketch.add(chunk.rowCount, target.classes === null ? [] : textsOf(chunk, 0).map((label) => label ?? ''), chunksOf(chunk, profiled, numbers));
    }
  } finally {
    // Nothing is closed while it is being read.
    await Promise.allSettled([next]);
  }
  return sketch.state();
}

/** The profile of a shard's file, read by a DuckDB small enough to stand beside that of the build. */
export async function profileShard(file: string, rows: Omit<ProfiledRows, 'from'>): Promise<DataProfile> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '160MB', preserve_insertion_order: 'true', autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  const interrupt = () => { connection.interrupt(); };
  rows.signal.addEventListener('abort', interrupt);
  try {
    return await profileRows(connection, { ...rows, from: `read_parquet(${literal(file)})` });
  } finally {
    rows.signal.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}

function columnSql({ type }: TypedColumn, sql: string): string {
  switch (type) {
    case 'number': return `${sql}::double`;
    case 'time': return `epoch_ms(${sql}::timestamp)::double`;
    case 'boolean': return `${sql}::varchar, null`;
    case 'text': return `left(${sql}, ${TEXT_CHARACTERS}), length(${sql})::double`;
  }
}

function chunksOf(chunk: DuckDBDataChunk, columns: readonly TypedColumn[], into: readonly Float64Array[]): ColumnChunk[] {
  let at = 1;
  return columns.map(({ type }, index): ColumnChunk => {
    const first = at;
    at += type === 'number' || type === 'time' ? 1 : 2;
    return type === 'number' || type === 'time' ? { numbers: numbersOf(chunk, first, into[index]) } : { texts: textsOf(chunk, first), lengths: numbersOf(chunk, first + 1, into[index]) };
  });
}

function numbersOf(chunk: DuckDBDataChunk, column: number, into: Float64Array = new Float64Array(CHUNK_ROWS)): Float64Array {
  const vector = chunk.getColumnVector(column);
  const values = into.length < chunk.rowCount ? new Float64Array(chunk.rowCount) : into.subarray(0, chunk.rowCount);
  for (let row = 0; row < values.length; row += 1) values[row] = (vector.getItem(row) as number | null) ?? NaN;
  return values;
}

function textsOf(chunk: DuckDBDataChunk, column: number): (string | null)[] {
  const vector = chunk.getColumnVector(column);
  return Array.from({ length: chunk.rowCount }, (_, row) => vector.getItem(row) as string | null);
}
