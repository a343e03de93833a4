import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { typedColumns } from '../../definition/columns.js';
import { columnOf } from './column-names.js';
import { literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import { shardCount } from './rows.js';
import type { Table } from './tables.js';

/**
 * Rows divided by their keys, in files of this machine if they are many: all rows of a key are in one bucket, which is small enough to work on whole.
 * So whatever looks at rows together, for a key, a shard or a digest, needs no more memory for more rows.
 */
export interface Buckets {
  readonly count: number;
  /** No more rows than this. */
  readonly most: number;
  /** Buckets that are worked on at a time; all of them, where all rows are in memory anyway. */
  readonly passes: readonly (readonly number[])[];
  /** Bytes of a row where rows are longest, for {@link rowsWithin}. */
  readonly rowBytes: number;
  /** What SQL selects from, for some buckets or for all: the columns of `staged` but where a row was read, `row` (unique), `place` (of the key, see `shardOf` of domain/) and `content` (a hash of its values, in this process only). */
  rows(buckets?: readonly number[]): string;
}

/** Fewer rows to a bucket are quicker to read shard by shard, and slower to divide. */
const ROWS_PER_BUCKET = 400_000;
/** Each is a file that is open while rows are divided. */
const MOST_BUCKETS = 256;
/** Rows that are held before they are written out: every bucket gets its own small part of them. */
const HELD_BYTES = 64e6;
/** A file's directory of its parts is in memory until the file is closed. */
const PARTS_PER_FILE = 16;
/** So many rows DuckDB works on at a time, however long they are. */
const VECTOR_ROWS = 2048;
/** Of longer texts fewer rows go through one statement: they are copied several times. */
const VECTOR_BYTES = 12e6;
/** These files are read a few times and gone: time is dearer than their size. */
const QUICKLY = 'compression uncompressed, dictionary_size_limit 1';

/** Bytes of a row's key, label, attributes and hashes. */
export const BESIDES_VALUES = 200;

/** How many rows take about this much memory. */
export function rowsWithin(bytes: number, rowBytes: number): number {
  const rows = Math.max(1, Math.floor(bytes / rowBytes));
  return rows < VECTOR_ROWS ? rows : rows - rows % VECTOR_ROWS;
}

/** Bytes of the texts of a row where they are longest: the most that rows which were read one after another have on average. */
async function textBytesOf(duck: Duck, data: Table): Promise<number> {
  const texts = typedColumns(data.columns).flatMap(({ type }, index) => (type === 'number' ? [] : [`coalesce(strlen(${columnOf(index)}), 0) + 16`]));
  if (texts.length === 0) return 0;
  const [longest] = await duck.rows<{ bytes: number | null }>(`select max(bytes) as bytes from (select avg(${texts.join(' + ')}) as bytes from staged group by rowid // ${VECTOR_ROWS})`);
  return longest?.bytes ?? 0;
}

interface Staged { readonly folder: string; /** The rows that are taken, as SQL; and their split, null: as staged. */ readonly good: string; readonly split: string | null; readonly signal: AbortSignal }

/** Rows of `staged` that take more memory are moved into files: every shard reads all of them, so of more than a few shards the files, which are divided, are quicker as well. */
const IN_MEMORY_BYTES = 128e6;

/** The rows of `staged` for which `good` holds, with their split: as they are where they fit into memory, else moved into buckets. */
export async function bucketsOf(duck: Duck, data: Table, staged: Staged): Promise<Buckets> {
  const [found] = await duck.rows<{ n: bigint; last: bigint | null }>('select count(*) as n, max(rowid) as last from staged');
  const [rows, last] = [Number(found?.n ?? 0), Number(found?.last ?? -1)];
  const count = Math.min(MOST_BUCKETS, shardCount(rows, ROWS_PER_BUCKET));
  const textBytes = await textBytesOf(duck, data);
  const rowBytes = BESIDES_VALUES + 8 * typedColumns(data.columns).filter(({ type }) => type === 'number').length + textBytes;
  const values = typedColumns(data.columns).map((_, index) => columnOf(index)).join(', ');
  const { good, split } = staged;
  const rowsSql = (where: string) => `select * exclude (ordinal, origin)${split === null ? '' : ` replace (${split} as split)`}, rowid as row, hash(${values}) as content from staged where ${good}${where}`;
  const all = Array.from({ length: count }, (_, bucket) => bucket);
  if (rows * rowBytes <= IN_MEMORY_BYTES) {
    return { count, most: rows, rowBytes, passes: [all], rows: (buckets = all) => `(${rowsSql(buckets.length === count ? '' : ` and place % ${count} in (${buckets.join(', ')})`)})` };
  }
  return { count, most: rows, rowBytes, passes: all.map((bucket) => [bucket]), rows: await divideIntoBuckets(duck, staged, { count, last, rowBytes, textBytes, rowsSql }) };
}

/** Moves the rows into buckets below `folder`; gives {@link Buckets.rows}. */
async function divideIntoBuckets(duck: Duck, { folder, signal }: Staged, { count, last, rowBytes, textBytes, rowsSql }: {
  count: number; last: number; rowBytes: number; textBytes: number; rowsSql: (where: string) => string;
}): Promise<Buckets['rows']> {
  const [{ threads } = { threads: 1 }] = await duck.rows<{ threads: number | bigint }>('select current_setting(\'threads\') as threads');
  const held = rowsWithin(HELD_BYTES / Number(threads), rowBytes);
  const vectorRows = rowsWithin(VECTOR_BYTES, Math.max(1, textBytes));
  const atOnce = vectorRows < VECTOR_ROWS ? vectorRows : held * PARTS_PER_FILE;
  await duck.run(`set partitioned_write_flush_threshold = ${held}`);
  await duck.run(`set partitioned_write_max_open_files = ${MOST_BUCKETS}`);
  await duck.run(`create table no_rows as ${rowsSql('')} limit 0`);
  const files = new Map<number, string[]>();
  for (let from = 0; from <= last; from += atOnce) {
    signal.throwIfAborted();
    const batch = join(folder, `rows-${from}`);
    await duck.run(`copy (select *, place % ${count} as bucket from (${rowsSql(` and rowid between ${from} and ${from + atOnce - 1}`)})) to ${literal(batch)} (format parquet, partition_by (bucket), ${QUICKLY})`);
    for (const file of await readdir(batch, { recursive: true })) {
      const bucket = /^bucket=(\d+)\/.*\.parquet$/.exec(file)?.[1];
      if (bucket !== undefined) files.set(Number(bucket), [...files.get(Number(bucket)) ?? [], join(batch, file)]);
    }
  }
  await duck.run('drop table staged');
  return (buckets = [...files.keys()]) => {
    const named = buckets.flatMap((bucket) => files.get(bucket) ?? []);
    return named.length === 0 ? 'no_rows' : `read_parquet([${named.map(literal).join(', ')}], hive_partitioning = false)`;
  };
}

/** The buckets that hold a shard, where a split has `shards` of them. Both numbers are powers of two, and both divisions are by `place`. */
export function bucketsOfShard(shard: number, shards: number, buckets: number): number[] {
  return Array.from({ length: buckets }, (_, bucket) => bucket).filter((bucket) => (shards <= buckets ? bucket % shards === shard : bucket === shard % buckets));
}
