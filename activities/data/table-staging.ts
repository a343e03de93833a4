import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { canonicalJson } from '../../domain/canonical.js';
import { decodeRow } from '../../domain/cells.js';
import { columnOf } from './column-names.js';
import { stagedType } from './column-sql.js';
import type { Duck } from './duckdb.js';
import type { ListedSource } from './listing.js';
import { pixelDigest } from './check-picture.js';
import { dividerOf, dividerSql, KEY_HASH, placeSql, splitSql } from './split-sql.js';
import type { Table, TableContext } from './tables.js';

type LabelledOf = Extract<ListedSource, { kind: 'labelled' }>;

/** Of numbers and names of rows hardly one is like another: looking for a way to write them smaller took as long as writing them. */
const AS_IT_IS = 'using compression uncompressed';

/**
 * `origin` names a row in reports where it has no key; `place` is that of the key, see `shardOf` of domain/. What does not fit into memory is
 * spilled as it is: a table of a database file would be sorted into its form there, with half as much work again, and wait for the disk.
 */
export async function createStaging(duck: Duck, data: Table): Promise<void> {
  const columns = typedColumns(data.columns).map(({ type }, index) => `${columnOf(index)} ${stagedType(type)} ${type === 'number' ? AS_IT_IS : ''}`).join(', ');
  await duck.run(`create table staged (source integer, ordinal bigint, origin varchar ${AS_IT_IS}, key varchar ${AS_IT_IS}, split varchar, place ubigint, label varchar, attributes varchar, ${columns})`);
}

/** Labelled predictions: a JSON object of columns, or raw little-endian float32 or float64 in their order; key: the sha256 of these bytes. */
export async function stageLabelled(duck: Duck, { deps, model, data, findings, signal }: TableContext, { source, description }: LabelledOf, index: number): Promise<number> {
  const appender = await duck.connection.createAppender('staged');
  const columns = typedColumns(data.columns);
  let ordinal = 0;
  for await (const { id, input, inputShape, label, attributes } of deps.stores.predictions.labelled({ model, environment: source.environment, attributes: source.attributes })) {
    signal.throwIfAborted();
    const values = inputShape.length === 0 ? decodeRow(columns, input) : valuesOf(input, columns);
    if (!values) {
      findings.add('wrong-shape', data.checks.unreadable, `an input must hold the columns ${columns.map(({ name }) => name).join(', ')}`, `prediction ${id}`);
      continue;
    }
    appender.appendInteger(index);
    appender.appendBigInt(BigInt(ordinal++));
    appender.appendVarchar(`prediction ${id}`);
    appender.appendVarchar(pixelDigest(input));
    appender.appendNull();
    appender.appendNull();
    appender.appendVarchar(label);
    appender.appendVarchar(canonicalJson({ ...attributes, ...source.attributes }));
    for (const value of values) {
      if (value === null) appender.appendNull();
      else if (typeof value === 'number') appender.appendDouble(value);
      else appender.appendVarchar(String(value));
    }
    appender.endRow();
  }
  appender.closeSync();
  const divider = dividerOf(source.split, data);
  await duck.run(`update staged set split = ${splitSql(source.split, divider && dividerSql(divider, ''))}, place = ${placeSql(KEY_HASH)} where source = ${index}`);
  if (data.target.task === 'regression') await duck.run(`update staged set label = ${numberText('label')} where source = ${index}`);
  // The same input asked twice is one row, its newest.
  await duck.run(`delete from staged where source = ${index} and ordinal not in (select max(ordinal) from staged where source = ${index} group by key, label)`);
  const rows = await stagedRows(duck, index);
  if (rows === 0) findings.add('missing-source', 'warn', `no rows yet: ${description}`);
  else if (rows < source.minimum) {
    findings.add('too-few-rows', 'warn', `${rows} rows: ${description} are used from ${source.minimum} on`);
    await duck.run(`delete from staged where source = ${index}`);
    return 0;
  }
  return rows;
}

/** Text, given as SQL, that is a number in its shortest form, so that 1 and 1.0 are the same label; other text stays as it is. */
export function numberText(sql: string): string {
  return `coalesce((try_cast(${sql} as double) + 0)::varchar, ${sql}::varchar)`;
}

/** Rows of a source that are staged. */
export async function stagedRows(duck: Duck, index: number): Promise<number> {
  const [row] = await duck.rows<{ n: bigint }>('select count(*) as n from staged where source = $1', [index]);
  return Number(row?.n ?? 0);
}

/** Before columns had types, every one was a number. */
function valuesOf(input: Uint8Array, typed: readonly TypedColumn[]): number[] | null {
  if (typed.some(({ type }) => type !== 'number')) return null;
  const columns = typed.length;
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (input.length === columns * 4) return Array.from({ length: columns }, (_, index) => view.getFloat32(index * 4, true));
  if (input.length === columns * 8) return Array.from({ length: columns }, (_, index) => view.getFloat64(index * 8, true));
  return null;
}
