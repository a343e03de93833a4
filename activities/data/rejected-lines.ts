import { literal } from './duckdb.js';
import type { Duck } from './duckdb.js';

/** Options of `read_csv`: lines that are no rows are left out and kept in a table, until {@link takeRejected} takes them. */
export const KEEP_REJECTED = 'store_rejects = true, rejects_table = \'rejected\', rejects_scan = \'rejected_scan\', rejects_limit = 0';

/** The lines that the last reading left out, in their order, each once. */
export async function takeRejected(duck: Duck): Promise<{ line: number; kind: string }[]> {
  const rows = await duck.rows<{ line: bigint; kind: string }>('select line, first(error_type) as kind from rejected group by line order by line');
  await duck.run('drop table rejected');
  await duck.run('drop table rejected_scan');
  return rows.map(({ line, kind }) => ({ line: Number(line), kind }));
}

/** Forgets what a reading that failed left behind. */
export async function forgetRejected(duck: Duck): Promise<void> {
  await duck.run('drop table if exists rejected');
  await duck.run('drop table if exists rejected_scan');
}

/**
 * Rows that were left out have a number in the file too: the staged rows of file `name` that are behind them get their own.
 * @param shift lines of the file before its row 1
 * @param gaps the numbers that were left out, in order
 */
export async function renumber(duck: Duck, name: string, shift: number, gaps: readonly number[]): Promise<void> {
  const prefix = literal(`${name} line `);
  await duck.run(`create temp table gaps as select before, max(leftOut) as leftOut from (
    select unnest([${gaps.join(', ')}]) - unnest(range(${gaps.length})) - 1 as before, unnest(range(${gaps.length})) + 1 as leftOut) group by before`);
  await duck.run(`update staged set ordinal = moved.number, origin = ${prefix} || (moved.number + ${shift})
    from (select staged.rowid as place, ordinal + leftOut as number from staged asof join gaps on ordinal > before where starts_with(origin, ${prefix})) moved where staged.rowid = moved.place`);
  await duck.run('drop table gaps');
}
