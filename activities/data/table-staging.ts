import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { canonicalJson } from '../../domain/canonical.js';
import { decodeRow, describeColumn } from '../../domain/cells.js';
import { mayHold, stagedType, stagedValue } from './column-sql.js';
import { duckMessage, identifier, literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import type { ListedSource } from './listing.js';
import { pixelDigest } from './png.js';
import type { Table, TableContext } from './tables.js';

type FilesOf = Extract<ListedSource, { kind: 'files' }>;
type LabelledOf = Extract<ListedSource, { kind: 'labelled' }>;

/** Name of the i-th input column while the rows are worked on: whatever the definition calls it. */
export const columnOf = (index: number) => `c${index}`;

/** `origin` names a row in reports where it has no key. */
export async function createStaging(duck: Duck, data: Table): Promise<void> {
  const columns = typedColumns(data.columns).map(({ type }, index) => `${columnOf(index)} ${stagedType(type)}`).join(', ');
  await duck.run(`create table staged (source integer, ordinal bigint, origin varchar, key varchar, split varchar, label varchar, attributes varchar, ${columns})`);
}

/** The same rule as `splitOf` of domain/, as SQL over `key`. */
function splitSql(rule: Table['sources'][number]['split']): string {
  if (typeof rule === 'string') return literal(rule);
  const { train, validation, test } = rule.byKey;
  const rest = validation === 0 ? 'test' : 'validation';
  const position = '((\'0x\' || substr(sha256(key), 1, 8))::ubigint / 4294967296.0::double)';
  return `case when ${position} < ${test}::double then 'test' when ${train === 0 ? 'true' : `${position} < ${test + validation}::double`} then ${literal(rest)} else 'train' end`;
}

/** Rows of the source's Parquet files. A file that cannot be read, or lacks a column, is a finding and is left out. */
export async function stageParquet(duck: Duck, { data, findings, folder, signal }: TableContext, listed: FilesOf, index: number): Promise<number> {
  const { source, files, location } = listed;
  if (source.kind !== 'parquet') throw new TypeError(`a model of a table has a source of kind ${source.kind}`);
  const columns = typedColumns(data.columns);
  const attributes = literal(canonicalJson(source.attributes));
  const downloads = join(folder, `source-${index}`);
  await mkdir(downloads, { recursive: true });
  for (const { name } of files) {
    signal.throwIfAborted();
    const from = `read_parquet([${literal(await location.local(name, downloads))}], file_row_number = true)`;
    try {
      const described = await duck.rows<{ column_name: string; column_type: string }>(`describe select * from ${from}`);
      const types = new Map(described.map(({ column_name, column_type }) => [column_name, column_type]));
      const missing = [source.key, data.target.name, ...columns.map(({ name: column }) => column)].filter((column) => !types.has(column));
      if (missing.length > 0) {
        findings.add('wrong-shape', 'block', `columns are missing: ${missing.join(', ')}`, name);
        continue;
      }
      const foreign = columns.filter((column) => !mayHold(column, types.get(column.name) ?? ''));
      if (foreign.length > 0) {
        findings.add('wrong-type', 'block', `columns of another type: ${foreign.map((column) => `${column.name} (${types.get(column.name) ?? ''}) has to hold ${describeColumn(column)}`).join('; ')}`, name);
        continue;
      }
      const values = columns.map((column, place) => `${stagedValue(column, identifier(column.name), types.get(column.name) ?? '')} as ${columnOf(place)}`).join(', ');
      await duck.run(
        `insert into staged by name select *, ${splitSql(source.split)} as split from (
           select ${index} as source, file_row_number as ordinal, ${literal(name)} || ' row ' || file_row_number as origin, ${identifier(source.key)}::varchar as key,
             ${identifier(data.target.name)}::varchar as label, ${attributes} as attributes, ${values} from ${from})`);
    } catch (error) {
      signal.throwIfAborted();
      findings.add('unreadable', data.checks.unreadable, `not a whole Parquet file (${duckMessage(error)})`, name);
    }
  }
  return staged(duck, index);
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
  await duck.run(`update staged set split = ${splitSql(source.split)} where source = ${index}`);
  // The same input asked twice is one row, its newest.
  await duck.run(`delete from staged where source = ${index} and ordinal not in (select max(ordinal) from staged where source = ${index} group by key, label)`);
  const rows = await staged(duck, index);
  if (rows === 0) findings.add('missing-source', 'warn', `no rows yet: ${description}`);
  else if (rows < source.minimum) {
    findings.add('too-few-rows', 'warn', `${rows} rows: ${description} are used from ${source.minimum} on`);
    await duck.run(`delete from staged where source = ${index}`);
    return 0;
  }
  return rows;
}

async function staged(duck: Duck, index: number): Promise<number> {
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
