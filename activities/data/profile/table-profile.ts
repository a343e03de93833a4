import { availableParallelism } from 'node:os';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { DataProfile } from '../../../contract/data-profile.js';
import type { Split } from '../../../contract/snapshot.js';
import type { TypedColumn } from '../../../definition/columns.js';
import { DataSketch, numbersOf } from '../../../domain/profile/data-sketch.js';
import type { ColumnChunk } from '../../../domain/profile/data-sketch.js';
import { isNumeric } from '../../../domain/profile/number-columns.js';
import { DuckDBDoubleVector, DuckDBInstance } from '../../../runtime/data/duckdb-library.js';
import { identifier, literal } from '../duckdb.js';
import { ShardDigest } from '../shard-digest.js';
import { NumberHelper } from './number-helper.js';

/** A text's beginning decides whether it is another one. */
const TEXT_CHARACTERS = 1000;

export interface ProfiledRows {
  /** What SQL selects from: columns as a shard has them, and `label`. */
  readonly from: string; readonly columns: readonly TypedColumn[]; readonly target: { readonly name: string; readonly classes: readonly string[] | null };
  /** Another number for every part that will be merged. */
  readonly seed: number; readonly signal: AbortSignal;
  /** Whether a second thread takes in the numbers; unless told, from so many rows on that it is worth its start. The profile is the same. */
  readonly helped?: boolean;
  /** Takes in the same rows. */
  readonly digest?: ShardDigest;
}

const HELPED_ROWS = 500_000;

/** Streams rows once and profiles them: a few chunks of them and the sketches are in memory, however many there are. */
export async function profileRows(connection: Pick<DuckDBConnection, 'stream' | 'runAndReadAll'>, { from, columns, target, seed, signal, helped, digest }: ProfiledRows): Promise<DataProfile> {
  // A target that is a number is profiled as a column of its own, so that correlations with it are known.
  const numericTarget: TypedColumn[] = target.classes === null ? [{ name: target.name, type: 'number', nullable: false }] : [];
  const profiled = [...columns, ...numericTarget];
  const sketch = new DataSketch('table', target, profiled, seed);
  const classes = createClassReader(target.classes ?? [], (label) => sketch.classOf(label));
  const selected = [...columns.map((column) => columnSql(column, identifier(column.name))), ...numericTarget.map((column) => columnSql(column, 'label'))];
  const helper = profiled.some(isNumeric) && (helped ?? await isWorthHelp(connection, from)) ? new NumberHelper({ columns: profiled, target }, seed) : null;
  if (helper) sketch.leaveNumbers();
  let next: Promise<DuckDBDataChunk | null> | null = null;
  try {
    const own = [markSql('label::varchar'), 'label::varchar', ...selected.flat()];
    const result = await connection.stream(`select ${[...own, ...digest?.texts ?? []].join(', ')} from ${from}`);
    // DuckDB reads the next rows while these are looked at.
    next = result.fetchChunk();
    for (let chunk = await next; chunk && chunk.rowCount > 0; chunk = await next) {
      signal.throwIfAborted();
      next = result.fetchChunk();
      // Awaited with the next turn; until then a rejection must not count as unhandled.
      next.catch(() => undefined);
      const [ofRows, chunks] = [classes(chunk), chunksOf(chunk, profiled)];
      await helper?.add(chunk.rowCount, ofRows, numbersOf(chunks));
      digest?.add(chunk, own.length, numbersOf(chunks));
      sketch.add(chunk.rowCount, ofRows, chunks);
    }
    return sketch.state(await helper?.state());
  } finally {
    // Nothing is closed while it is being read.
    await Promise.allSettled([next, helper?.close()]);
  }
}

async function isWorthHelp(connection: Pick<DuckDBConnection, 'runAndReadAll'>, from: string): Promise<boolean> {
  if (availableParallelism() < 2) return false;
  const [counted] = (await connection.runAndReadAll(`select count(*) from ${from}`)).getRows();
  return Number(counted?.[0] ?? 0) >= HELPED_ROWS;
}

/** The profile of a shard's file. */
export async function profileShard(file: string, rows: Omit<ProfiledRows, 'from' | 'digest'>): Promise<DataProfile> {
  return readingShard(file, rows.signal, (connection, from) => profileRows(connection, { ...rows, from }));
}

/** The digest of a shard's rows and their profile: its file is read once for both. */
export async function digestShard(file: string, { split, ...rows }: Omit<ProfiledRows, 'from' | 'digest'> & { readonly split: Split }): Promise<{ digest: string; profile: DataProfile }> {
  return readingShard(file, rows.signal, async (connection, from) => {
    const digest = new ShardDigest({ columns: rows.columns, label: rows.target.classes === null ? 'number' : 'text', split });
    // Shards are read beside each other, and are too small for a thread of their own.
    const profile = await profileRows(connection, { ...rows, from, digest, helped: false });
    return { digest: await digest.digest(connection, from), profile };
  });
}

/**
 * A DuckDB small enough to stand beside that of the build, and others like it: each file has one of its own, since several that are read by one of them can need more
 * than it may have. One thread reads a file, so that its rows come in their order.
 */
async function readingShard<T>(file: string, signal: AbortSignal, read: (connection: DuckDBConnection, from: string) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '160MB', preserve_insertion_order: 'true', autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  const interrupt = () => { connection.interrupt(); };
  signal.addEventListener('abort', interrupt);
  try {
    return await read(connection, `read_parquet(${literal(file)})`);
  } finally {
    signal.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}

function columnSql({ type }: TypedColumn, sql: string): string[] {
  switch (type) {
    // Both zeros are one number, and a file may hold one for the other.
    case 'number': return [orNan(`${sql}::double + 0`)];
    case 'time': return [orNan(`epoch_ms(${sql}::timestamp)::double`)];
    case 'boolean': return [markSql(`${sql}::varchar`), `${sql}::varchar`, 'null'];
    // Only of long texts does it cost anything to be asked.
    case 'text': return [markSql(sql), `case when strlen(${sql}) > ${TEXT_CHARACTERS} then left(${sql}, ${TEXT_CHARACTERS}) else ${sql} end`, `case when strlen(${sql}) > ${TEXT_CHARACTERS} then length(${sql})::double end`];
  }
}

/** 53 bits of a text's hash: to compare numbers is quicker than to fetch texts. That a text is taken for one of those held meanwhile happens once in about 500,000,000,000 rows. */
const markSql = (sql: string) => orNan(`case when ${sql} is not null then (hash(${sql}) >> 11)::double end`);

/** What is missing is NaN already where DuckDB gives the numbers, which are then taken as they are: it keeps nulls apart, and asking for each of them takes longer than all else. */
function orNan(sql: string): string {
  return `coalesce(${sql}, 'nan'::double)`;
}

function chunksOf(chunk: DuckDBDataChunk, columns: readonly TypedColumn[]): ColumnChunk[] {
  let at = 2;
  return columns.map(({ type }): ColumnChunk => {
    const first = at;
    at += type === 'number' || type === 'time' ? 1 : 3;
    const numbers = numbersIn(chunk, first);
    if (type === 'number' || type === 'time') return { numbers };
    const textAt = (row: number) => String(chunk.getColumnVector(first + 1).getItem(row));
    return { texts: { marks: numbers, textAt, lengthAt: (row, text) => (chunk.getColumnVector(first + 2).getItem(row) as number | null) ?? charactersOf(text) } };
  });
}

/** As DuckDB counts them: a character beyond the basic plane is one. */
function charactersOf(text: string): number {
  let characters = text.length;
  for (let at = 0; at < text.length; at += 1) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) characters -= 1;
  return characters;
}

/** The numbers of a column without nulls; they are the chunk's own. */
function numbersIn(chunk: DuckDBDataChunk, column: number): Float64Array {
  const vector = chunk.getColumnVector(column);
  // All of them are given out nowhere else; one by one, numbers take as long to be read as to be looked at.
  const items: unknown = vector instanceof DuckDBDoubleVector ? vector['items'] : null;
  if (!(items instanceof Float64Array)) throw new TypeError(`a column of ${vector.type.toString()} gives no numbers`);
  return items;
}

/** Labels that are remembered by their marks. */
const LABELS_KEPT = 4096;

/** Gives the classes of a chunk's rows, and fetches the text of a label only where it was not seen before. */
function createClassReader(classes: readonly string[], classOf: (label: string) => number): (chunk: DuckDBDataChunk) => Int32Array {
  const known = new Map<number, number>();
  const read = (chunk: DuckDBDataChunk, row: number, mark: number): number => {
    if (known.size > LABELS_KEPT) known.clear();
    const found = mark === mark ? classOf(String(chunk.getColumnVector(1).getItem(row))) : -1;
    known.set(mark, found);
    return found;
  };
  return (chunk) => {
    const found = new Int32Array(chunk.rowCount).fill(-1);
    if (classes.length === 0) return found;
    const marks = numbersIn(chunk, 0);
    for (let row = 0; row < found.length; row += 1) {
      const mark = marks[row] as number;
      found[row] = known.get(mark) ?? read(chunk, row, mark);
    }
    return found;
  };
}
