import { typedColumns } from '../../../definition/columns.js';
import type { TypedColumn } from '../../../definition/columns.js';
import type { ColumnValue } from '../../../domain/predictive-power.js';
import { columnOf } from '../column-names.js';
import type { Duck } from '../duckdb.js';
import { BESIDES_VALUES, rowsWithin } from '../table-buckets.js';
import type { Buckets } from '../table-buckets.js';
import type { Table } from '../tables.js';

const ROWS = 10_000;
const BYTES = 48e6;
/** Of longer texts the beginning tells enough. */
const LONGEST_TEXT = 100;

/** Sorting the sample takes longer than reading a column of it. */
const COLUMNS_AT_ONCE = 16;

/** Some rows of a table, in an order that has to do with nothing but the hash of their keys. */
export interface RowSample {
  readonly labels: readonly string[];
  /** The values of an input column, row by row; read when they are asked for. */
  values(index: number): Promise<ColumnValue[]>;
  close(): Promise<void>;
}

/** About 10,000 rows, fewer of a very wide table: of the first bucket, which rows fall into by the hash of their keys. */
export async function sampleRows(duck: Duck, data: Table, kept: Buckets): Promise<RowSample> {
  const columns = typedColumns(data.columns);
  const rows = kept.rows([0]);
  const [found] = await duck.rows<{ n: bigint }>(`select count(*) as n from ${rows}`);
  const wanted = Math.min(ROWS, rowsWithin(BYTES, Math.min(kept.rowBytes, BESIDES_VALUES + LONGEST_TEXT * columns.length)));
  // `place` is a number of 32 bits; below this share of it lie about as many rows as are wanted.
  const below = Math.ceil(2 ** 32 * Math.min(1, wanted / Math.max(1, Number(found?.n ?? 0))));
  await duck.run(`create table sampled as select place, key, label, ${columns.map(({ type }, index) => (type === 'text' ? `left(${columnOf(index)}, ${LONGEST_TEXT}) as ${columnOf(index)}` : columnOf(index))).join(', ')} from ${rows} where place < ${below}`);
  const read = async (names: readonly string[]) => (await duck.connection.runAndReadAll(`select ${names.join(', ')} from sampled order by place, key`)).getColumns();
  const [labels = []] = await read(['label']);
  let held: { readonly from: number; readonly values: readonly unknown[][] } | null = null;
  return {
    labels: labels as string[],
    values: async (index) => {
      const from = index - index % COLUMNS_AT_ONCE;
      if (held?.from !== from) held = { from, values: await read(columns.slice(from, from + COLUMNS_AT_ONCE).map((column, place) => valueSql(column, columnOf(from + place)))) };
      return (held.values[index - from] ?? []) as ColumnValue[];
    },
    close: () => duck.run('drop table sampled'),
  };
}

/** Times are near one another as numbers are. */
function valueSql(column: TypedColumn | undefined, sql: string): string {
  return column?.type === 'time' ? `epoch_ms(${sql}::timestamp)::double` : sql;
}
