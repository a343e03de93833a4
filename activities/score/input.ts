import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PerennialError } from '../../contract/errors.js';
import type { PictureShape } from '../../runtime/data/picture.js';
import type { Signature } from '../../contract/package.js';
import type { TypedColumn } from '../../definition/columns.js';
import { describeColumn } from '../../domain/cells.js';
import { signatureColumns } from '../../domain/signature-cells.js';
import type { Artifacts } from '../../stores/artifacts.js';
import { isUnreadable, mayHold, stagedValue } from '../data/column-sql.js';
import { duckMessage, identifier, literal } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { keysToLookUp, lookUpViews, viewsToLookUp } from './look-up.js';
import type { LookingUp } from './look-up.js';
import { inputError, refuseRows } from './refusal.js';

/** The one picture column of a signature, or null where its inputs are numbers. */
export function pictureOf(signature: Signature): (PictureShape & { readonly name: string }) | null {
  const [first, ...more] = signature.inputs;
  const [height, width, channels] = first?.shape ?? [];
  if (!first || more.length > 0 || height === undefined || width === undefined || channels === undefined) return null;
  return { name: first.name, height, width, channels, resize: first.resize };
}

/** The input on this machine: a path, `file:///…` or `s3://bucket/key`. */
export async function fetchInput(artifacts: Artifacts, input: string, folder: string): Promise<string> {
  try {
    if (input.startsWith('s3://')) {
      const file = join(folder, `input${/\.[a-z0-9.]+$/i.exec(input)?.[0] ?? ''}`);
      await artifacts.readObjectToFile(input, file);
      return file;
    }
    const file = input.startsWith('file://') ? fileURLToPath(input) : input;
    if ((await stat(file)).isFile()) return file;
    throw inputError(input, 'is not a file');
  } catch (error) {
    const missing = error instanceof PerennialError ? error.code === 'storage/missing' : error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (missing) throw inputError(input, 'is not there', {}, error);
    throw error;
  }
}

/** `asText`: these columns of JSON lines are read as they are written; guessing would turn the text `007` into a number, and a time into local time. */
function reader(file: string, asText: readonly string[] = []): string {
  const name = file.toLowerCase().replace(/\.(gz|zst)$/, '');
  if (/\.csv$/.test(name)) return `read_csv(${literal(file)}, header = true, all_varchar = true)`;
  const columns = asText.length > 0 ? `, columns = {${asText.map((column) => `${literal(column)}: 'VARCHAR'`).join(', ')}}` : '';
  if (/\.(jsonl|ndjson|json)$/.test(name)) return `read_json(${literal(file)}, format = 'newline_delimited'${columns})`;
  return `read_parquet([${literal(file)}])`;
}

const KEYS = ['key', 'id'];

export interface LoadOptions { readonly looking: LookingUp; readonly replace: () => Promise<void> }

/**
 * Loads the input into the table `input`: `row` (its place, from 0), `key` (the column `key` or `id`, else its place) and the
 * signature's columns, in their order. Parquet, CSV and JSON lines; pictures are bytes, or base64 in text.
 * Columns of feature views that the file leaves out are looked up by their keys. `replace` is called on the table before anything else looks at it.
 * @throws PerennialError `score/input`
 */
export async function loadInput(duck: Duck, input: string, file: string, signature: Signature, { looking, replace }: LoadOptions): Promise<{ rows: number; bytes: number }> {
  const from = reader(file);
  const types = await describe(duck, input, from);
  const views = viewsToLookUp(input, signature, types);
  const lookedUp = new Set(views.flatMap(({ columns }) => columns.map((column) => column.input)));
  const missing = signature.inputs.filter(({ name, nullable }) => nullable !== true && !types.has(name) && !lookedUp.has(name)).map(({ name }) => name);
  if (missing.length > 0) throw inputError(input, `columns are missing: ${missing.join(', ')}; it has ${[...types.keys()].join(', ')}`, { missing });
  const picture = pictureOf(signature);
  const key = KEYS.find((name) => types.has(name) && !signature.inputs.some((column) => column.name === name));
  const asWritten = reader(file, [...new Set([...(key === undefined ? [] : [key]), ...signature.inputs.map(({ name }) => name), ...views.flatMap(({ keys }) => keys.map((own) => own.input))])].filter((name) => types.has(name)));
  const read = asWritten === from ? types : await describe(duck, input, asWritten);
  const columns = picture ? [pictureColumn(input, picture.name, types.get(picture.name) ?? '')] : signatureColumns(signature).map((column) => tableColumn(input, column, types.get(column.name), read.get(column.name)));
  try {
    await duck.run(`create table input as select row, coalesce(key, row::varchar) as key, * exclude (row, key) from (
      select row_number() over () - 1 as row, ${key === undefined ? 'null::varchar' : `${identifier(key)}::varchar`} as key, ${[...columns, ...keysToLookUp(input, views, read)].join(', ')} from ${asWritten})`);
  } catch (error) {
    if (error instanceof PerennialError) throw error;
    throw inputError(input, `cannot be read (${duckMessage(error)})`, {}, error);
  }
  await lookUpViews(duck, input, views, signature, looking);
  await replace();
  if (picture) await refuseRows(duck, input, picture.name, `${identifier(picture.name)} is null`, 'has no picture');
  else for (const column of signatureColumns(signature)) await checkColumn(duck, input, column, signature);
  const size = picture ? `coalesce(sum(octet_length(${identifier(picture.name)})), 0)` : `count(*) * ${signature.inputs.length * 16}`;
  const [total] = await duck.rows<{ rows: bigint; bytes: bigint }>(`select count(*) as rows, (${size})::bigint as bytes from input`);
  return { rows: Number(total?.rows ?? 0), bytes: Number(total?.bytes ?? 0) };
}

async function describe(duck: Duck, input: string, from: string): Promise<Map<string, string>> {
  try {
    const columns = await duck.rows<{ column_name: string; column_type: string }>(`describe select * from ${from}`);
    return new Map(columns.map(({ column_name, column_type }) => [column_name, column_type]));
  } catch (error) {
    if (error instanceof PerennialError) throw error;
    throw inputError(input, `is no whole Parquet, CSV or JSON lines file (${duckMessage(error)})`, {}, error);
  }
}

function pictureColumn(input: string, name: string, type: string): string {
  if (type === 'BLOB') return identifier(name);
  if (type === 'VARCHAR') return `from_base64(${identifier(name)}) as ${identifier(name)}`;
  throw inputError(input, `the column ${name} is ${type}; it has to hold pictures: PNG, JPEG, WebP or raw bytes, or base64 of them`, { column: name, type });
}

/** `type`: what the values look like; `readAs`: as what they are read. */
function tableColumn(input: string, column: TypedColumn, type: string | undefined, readAs = type): string {
  const name = identifier(column.name);
  if (type === undefined || readAs === undefined) return `null::${column.type === 'number' ? 'double' : 'varchar'} as ${name}`;
  // Values of several kinds, or none at all, are JSON to DuckDB: as text, each of them is looked at.
  if (mayHold(column, type === 'JSON' ? readAs : type)) return `${stagedValue(column, name, readAs)} as ${name}`;
  throw inputError(input, `the column ${column.name} is ${type}; it has to hold ${describeColumn(column)}`, { column: column.name, type });
}

async function checkColumn(duck: Duck, input: string, column: TypedColumn, { inputs }: Signature): Promise<void> {
  const name = identifier(column.name);
  await refuseRows(duck, input, column.name, `${isUnreadable(column, name)}${column.nullable ? '' : ` or ${name} is null`}`, `does not hold ${describeColumn(column)}`);
  const allowed = inputs.find((wanted) => wanted.name === column.name)?.allowed;
  // Numbers are held against the names of categories as JavaScript writes them, when the rows are scored.
  if (allowed && column.type !== 'number') await refuseRows(duck, input, column.name, `${name} is not null and ${name} not in (${allowed.map(literal).join(', ')})`, 'holds a category that the model does not know');
}
