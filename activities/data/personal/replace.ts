import type { ReplacingAction } from '../../../definition/personal.js';
import { replacingActions } from '../../../definition/personal.js';
import { typedColumns } from '../../../definition/columns.js';
import { CANDIDATE } from '../../../runtime/personal/kinds.js';
import type { Pseudonyms } from '../../../runtime/personal/pseudonyms.js';
import { columnOf } from '../column-names.js';
import { literal } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import type { TableContext } from '../tables.js';

/** Texts that are in memory at a time. */
const ROWS_AT_ONCE = 4_096;

/** Replaces the values of the columns for which the definition says so, in `staged`, before anything looks at them: what is stored and reported holds no other. Columns, kinds and counts are told. */
export async function replacePersonalData(duck: Duck, { data, findings, signal, pseudonyms }: Pick<TableContext, 'data' | 'findings' | 'signal' | 'pseudonyms'>): Promise<void> {
  const actions = replacingActions(data);
  for (const [index, { name }] of typedColumns(data.columns).entries()) {
    const action = actions[name];
    if (!action) continue;
    if (!pseudonyms) throw new TypeError('values are replaced with the key of pseudonyms');
    const { values, kinds } = await replaceColumn(duck, { table: 'staged', column: columnOf(index), action, pseudonyms, signal });
    if (action === 'hash' && values > 0) findings.add('personal-data', 'drop', `the values of the column ${name} are stored as pseudonyms`, undefined, values);
    for (const [kind, parts] of kinds) findings.add('personal-data', 'drop', `in the column ${name} each ${kind} is ${action === 'hash-found' ? 'stored as a pseudonym' : 'left out'}`, undefined, parts);
  }
}

interface Replacing { readonly table: string; /** As SQL. */ readonly column: string; readonly action: ReplacingAction; readonly pseudonyms: Pseudonyms; readonly signal: AbortSignal }

/** Replaces the texts of a column, some rows at a time. The secret stays in this process: DuckDB is given pseudonyms only. */
export async function replaceColumn(duck: Duck, { table, column, action, pseudonyms, signal }: Replacing): Promise<{ readonly values: number; readonly kinds: ReadonlyMap<string, number> }> {
  const kinds = new Map<string, number>();
  let values = 0;
  const [bounds] = await duck.rows<{ last: bigint | null }>(`select max(rowid) as last from ${table}`);
  const wanted = action === 'hash' ? `${column} is not null` : `regexp_matches(${column}, ${literal(CANDIDATE)})`;
  for (let from = 0; from <= Number(bounds?.last ?? -1); from += ROWS_AT_ONCE) {
    signal.throwIfAborted();
    const range = `rowid between ${from} and ${from + ROWS_AT_ONCE - 1}`;
    const rows = await duck.rows<{ row: bigint; value: string }>(`select rowid as row, ${column} as value from ${table} where ${range} and ${wanted}`);
    const changed = rows.flatMap(({ row, value }) => {
      const replaced = pseudonyms.replace(action, value, (kind) => { kinds.set(kind, (kinds.get(kind) ?? 0) + 1); });
      return replaced === value ? [] : [{ row, replaced }];
    });
    if (changed.length === 0) continue;
    values += changed.length;
    await duck.run('create or replace table pseudonyms (row bigint, value varchar)');
    const appender = await duck.connection.createAppender('pseudonyms');
    for (const { row, replaced } of changed) {
      appender.appendBigInt(row);
      appender.appendVarchar(replaced);
      appender.endRow();
    }
    appender.closeSync();
    await duck.run(`update ${table} set ${column} = pseudonyms.value from pseudonyms where ${table}.rowid = pseudonyms.row and ${table}.${range}`);
  }
  await duck.run('drop table if exists pseudonyms');
  return { values, kinds };
}
