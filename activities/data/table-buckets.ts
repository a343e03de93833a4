import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { typedColumns } from '../../definition/columns.js';
import { columnOf } from './column-names.js';
import { literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import { shardCount } from './rows.js';
import type { Table } from './tables.js';

/**
 * Rows in files of this machine, divided by their keys: all rows of a key are in one bucket, which is small enough to work on whole.
 * So whatever looks at rows together, for a key, a shard or a digest, needs no more memory for more rows.
 */
export interface Buckets {
  readonly count: number;
  /** Bytes of a row where rows are longest, for {@link rowsWithin}. */
  readonly rowBytes: number;
  /** What SQL selects from, for some buckets or for all: the columns of `staged` but where a row was read, `row` (unique), `place` (of the key, see `shardOf` of domain/), `hash` (of the whole row) and `content` (a hash of its values, in this process only). */
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
/** Of longer texts fewer rows go through one statement: they are copied several times until a row's hash is known. */
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

/** Moves the rows of `staged` for which `good` holds into buckets below `folder`, with their split (null: as staged) and the hash of `canonicalRow`: all SQL. */
export async function divideIntoBuckets(duck: Duck, data: Table, { folder, good, split, canonicalRow, signal }: { folder: string; good: string; split: string | null; canonicalRow: string; signal: AbortSignal }): Promise<Buckets> {
  const [staged] = await duck.rows<{ n: bigint; last: bigint | null }>('select count(*) as n, max(rowid) as last from staged');
  const count = Math.min(MOST_BUCKETS, shardCount(Number(staged?.n ?? 0), ROWS_PER_BUCKET));
  const [{ threads } = { threads: 1 }] = await duck.rows<{ threads: number | bigint }>('select current_setting(\'threads\') as threads');
  const textBytes = await textBytesOf(duck, data);
  const rowBytes = BESIDES_VALUES + 8 * typedColumns(data.columns).filter(({ type }) => type === 'number').length + textBytes;
  const held = rowsWithin(HELD_BYTES / Number(threads), rowBytes);
  const vectorRows = rowsWithin(VECTOR_BYTES, Math.max(1, textBytes));
  const atOnce = vectorRows < VECTOR_ROWS ? vectorRows : held * PARTS_PER_FILE;
  const values = typedColumns(data.columns).map((_, index) => columnOf(index)).join(', ');
  const rowsSql = (range: string) => {
    const rows = `from staged where ${good}${range}`;
    const hashed = `sha256(${canonicalRow}) as hash, hash(${values}) as content`;
    return split === null ? `select * exclude (ordinal, origin), rowid as row, ${hashed} ${rows}` : `select *, ${hashed} from (select * exclude (ordinal, origin) replace (${split} as split), rowid as row ${rows})`;
  };
  await duck.run(`set partitioned_write_flush_threshold = ${held}`);
  await duck.run(`set partitioned_write_max_open_files = ${MOST_BUCKETS}`);
  await duck.run(`create table no_rows as ${rowsSql('')} limit 0`);
  const files = new Map<number, string[]>();
  for (let from = 0; from <= Number(staged?.last ?? -1); from += atOnce) {
    signal.throwIfAborted();
    const batch = join(folder, `rows-${from}`);
    await duck.run(`copy (select *, place % ${count} as bucket from (${rowsSql(` and rowid between ${from} and ${from + atOnce - 1}`)})) to ${literal(batch)} (format parquet, partition_by (bucket), ${QUICKLY})`);
    for (const file of await readdir(batch, { recursive: true })) {
      const bucket = /^bucket=(\d+)\/.*\.parquet$/.exec(file)?.[1];
      if (bucket !== undefined) files.set(Number(bucket), [...files.get(Number(bucket)) ?? [], join(batch, file)]);
    }
  }
  await duck.run('drop table staged');
  return {
    count, rowBytes,
    rows: (buckets = [...files.keys()]) => {
      const named = buckets.flatMap((bucket) => files.get(bucket) ?? []);
      return named.length === 0 ? 'no_rows' : `read_parquet([${named.map(literal).join(', ')}], hive_partitioning = false)`;
    },
  };
}

/** The buckets that hold a shard, where a split has `shards` of them. Both numbers are powers of two, and both divisions are by `place`. */
export function bucketsOfShard(shard: number, shards: number, buckets: number): number[] {
  return Array.from({ length: buckets }, (_, bucket) => bucket).filter((bucket) => (shards <= buckets ? bucket % shards === shard : bucket === shard % buckets));
}
