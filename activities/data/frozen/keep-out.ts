import { typedColumns } from '../../../definition/columns.js';
import { rowsOf } from '../../../domain/frozen.js';
import { expectedCopies } from '../../../domain/predictive-power.js';
import type { ColumnValue } from '../../../domain/predictive-power.js';
import { columnOf } from '../column-names.js';
import { identifier, literal } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import { NAMED_ROWS } from '../findings.js';
import type { Findings } from '../findings.js';
import { sampleRows } from '../leakage/row-sample.js';
import type { Buckets } from '../table-buckets.js';
import type { Table } from '../tables.js';
import type { OpenFrozenSet } from './open.js';

/** Frozen rows that are in memory at a time. */
const ROWS_AT_ONCE = 1_000_000;

/**
 * Leaves out of training and validation what is a row of a frozen test set: by its key, and by its values under another key, where such copies are
 * more than twice as many as they would be if the columns knew nothing of each other. What is left out is reported; test rows stay.
 */
export async function keepFrozenOut(duck: Duck, data: Table, kept: Buckets, frozen: readonly OpenFrozenSet[], findings: Findings, signal: AbortSignal): Promise<Buckets> {
  if (frozen.length === 0) return kept;
  await duck.run('create table frozen_out (row bigint)');
  for (const set of frozen) {
    signal.throwIfAborted();
    const rows = rowsOf(set.localShards.length === 0 ? [] : set.manifest.content.shards);
    if (rows === 0) continue;
    const shared = sharedColumns(data, set);
    const values = (sql: (name: string, index: number) => string) => (shared.length === 0 ? '0' : `hash(${shared.map(({ name, index }) => sql(name, index)).join(', ')})`);
    await duck.run(`create table frozen as select key, ${values((name, index) => staged(data, index, identifier(name)))} as content from read_parquet([${set.localShards.map(({ path }) => literal(path)).join(', ')}])`);
    const parts = Math.ceil(rows / ROWS_AT_ONCE);
    const others = `(select row, key, split, ${values((_, index) => columnOf(index))} as content from ${kept.rows()} where split <> 'test')`;
    await leaveOut(duck, findings, {
      from: others, parts, by: 'hash(key)', is: (part) => `key in (select key from frozen where ${part})`,
      message: `rows of the frozen test set ${set.name} that would train or validate are left out`,
    });
    if (shared.length > 0 && await moreThanChance(duck, data, kept, { others, rows, parts, shared: shared.map(({ index }) => index) })) {
      await leaveOut(duck, findings, {
        from: others, parts, by: 'content', is: (part) => `content in (select content from frozen where ${part}) and row not in (select row from frozen_out)`,
        message: `rows that would train or validate have the values of a row of the frozen test set ${set.name}, under another key, and are left out`,
      });
    }
    await duck.run('drop table frozen');
  }
  const [out] = await duck.rows<{ n: bigint }>('select count(*) as n from frozen_out');
  if (Number(out?.n ?? 0) === 0) return kept;
  return { ...kept, rows: (some) => `(select * from ${kept.rows(some)} where row not in (select row from frozen_out))` };
}

/** Columns that the rows and the set both have, of the same type. */
function sharedColumns(data: Table, { manifest }: OpenFrozenSet): { readonly name: string; readonly index: number }[] {
  const known = new Map(typedColumns(manifest.content.columns ?? []).map(({ name, type }) => [name, type]));
  return typedColumns(data.columns).flatMap(({ name, type }, index) => (known.get(name) === type ? [{ name, index }] : []));
}

/** A value of a shard as it is staged: booleans are text there. */
function staged(data: Table, index: number, sql: string): string {
  return typedColumns(data.columns)[index]?.type === 'boolean' ? `${sql}::varchar` : sql;
}

interface LeftOut { readonly from: string; readonly parts: number; /** The rows are divided into parts by this number. */ readonly by: string; readonly is: (part: string) => string; readonly message: string }

async function leaveOut(duck: Duck, findings: Findings, { from, parts, by, is, message }: LeftOut): Promise<void> {
  const [before] = await duck.rows<{ n: bigint }>('select count(*) as n from frozen_out');
  const named: string[] = [];
  for (let part = 0; part < parts; part += 1) {
    const where = `${by} % ${parts} = ${part}`;
    const matching = `${from} where ${where} and ${is(where)}`;
    if (named.length < NAMED_ROWS) named.push(...(await duck.rows<{ name: string }>(`select key || ' (' || split || ')' as name from ${matching} order by key limit ${NAMED_ROWS}`)).map(({ name }) => name));
    await duck.run(`insert into frozen_out select row from ${matching}`);
  }
  const [after] = await duck.rows<{ n: bigint }>('select count(*) as n from frozen_out');
  const rows = Number(after?.n ?? 0) - Number(before?.n ?? 0);
  if (rows > 0) findings.addRows('frozen', 'drop', message, named.sort().slice(0, Math.min(NAMED_ROWS, rows)), rows);
}

async function moreThanChance(duck: Duck, data: Table, kept: Buckets, { others, rows, parts, shared }: { others: string; rows: number; parts: number; shared: readonly number[] }): Promise<boolean> {
  let copies = 0;
  for (let part = 0; part < parts; part += 1) {
    const [found] = await duck.rows<{ n: bigint }>(`select count(*) as n from ${others} where content % ${parts} = ${part} and content in (select content from frozen where content % ${parts} = ${part}) and row not in (select row from frozen_out)`);
    copies += Number(found?.n ?? 0);
  }
  if (copies === 0) return false;
  const [total] = await duck.rows<{ n: bigint }>(`select count(*) as n from ${others}`);
  const sample = await sampleRows(duck, data, kept);
  try {
    const columns: ColumnValue[][] = [];
    for (const index of shared) columns.push(await sample.values(index));
    return copies > 2 * expectedCopies(columns, Number(total?.n ?? 0), rows);
  } finally {
    await sample.close();
  }
}
