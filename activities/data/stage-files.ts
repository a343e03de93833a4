import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFull } from '../../contract/disk-full.js';
import { PerennialError } from '../../contract/errors.js';
import { typedColumns } from '../../definition/columns.js';
import type { SourceOf } from '../../definition/sources.js';
import { canonicalJson } from '../../domain/canonical.js';
import { describeColumn } from '../../domain/cells.js';
import { columnsOfViews, joiningColumns, joinViews } from '../features/join.js';
import { columnOf } from './column-names.js';
import { mayHold, stagedValue } from './column-sql.js';
import { duckMessage, literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import type { ListedSource } from './listing.js';
import { readCsv } from './read-csv.js';
import { readNdjson } from './read-ndjson.js';
import { readParquet } from './read-parquet.js';
import type { FileToRead, Reading } from './reading.js';
import { forgetRejected } from './rejected-lines.js';
import { dividerOf, dividerSql, KEY_HASH, placeSql, splitSql } from './split-sql.js';
import { numberText, stagedRows } from './table-staging.js';
import type { Table, TableContext } from './tables.js';
import { TextFileError } from './text-file.js';

const NAMES = { parquet: 'Parquet', csv: 'CSV', ndjson: 'JSON lines' } as const;
type RowFiles = SourceOf<keyof typeof NAMES>;
type AnyFile = Omit<FileToRead<'parquet'>, 'source'>;

/** Rows of a source's files. A file that cannot be read, or lacks a column, is a finding and is left out. */
export async function stageFiles(duck: Duck, context: TableContext, { source, files, location }: Extract<ListedSource, { kind: 'files' }>, index: number): Promise<number> {
  const { data, findings, folder, signal } = context;
  if (source.kind === 'image-folder') throw new TypeError(`a model of a table has a source of kind ${source.kind}`);
  const downloads = join(folder, `source-${index}`);
  await mkdir(downloads, { recursive: true });
  for (const [place, { name }] of files.entries()) {
    signal.throwIfAborted();
    const unpacked = join(downloads, `unpacked-${place}`);
    const path = await location.local(name, downloads);
    try {
      await stageFile(duck, context, source, index, { duck, name, path, unpacked, findings, severity: data.checks.unreadable, signal });
    } catch (error) {
      signal.throwIfAborted();
      const known = diskFull(error, unpacked) ?? error;
      if (known instanceof PerennialError) throw known;
      await forgetRejected(duck);
      const line = error instanceof TextFileError && error.line !== undefined ? ` line ${error.line}` : '';
      findings.add('unreadable', data.checks.unreadable, `not a whole file of ${NAMES[source.kind]} (${duckMessage(error)})`, `${name}${line}`);
    } finally {
      await rm(unpacked, { force: true });
      if (path.startsWith(downloads)) await rm(path, { force: true });
    }
  }
  return stagedRows(duck, index);
}

function openFile(source: RowFiles, file: AnyFile, wanted: readonly string[]): Promise<Reading> {
  switch (source.kind) {
    case 'parquet': return readParquet({ ...file, source });
    case 'csv': return readCsv({ ...file, source });
    case 'ndjson': return readNdjson({ ...file, source }, wanted);
  }
}

/** Names what divides the rows, while they are read, where it is no input column. */
const DIVIDER = 'divider';

async function stageFile(duck: Duck, context: TableContext, source: RowFiles, index: number, file: AnyFile): Promise<void> {
  const given = columnsOfViews(context.views);
  const needed = [...neededColumns(source, context).filter((column) => !given.includes(column)), ...joiningColumns(source, context.views)];
  const reading = await openFile(source, file, [...new Set(needed)]);
  await stageReading(duck, context, { source, index, name: file.name, reading });
}

interface ReadRows { readonly source: Pick<RowFiles, 'key' | 'split' | 'attributes' | 'eventTime'>; readonly index: number; /** In reports. */ readonly name: string; readonly reading: Reading }

function neededColumns({ key, split }: ReadRows['source'], { data }: TableContext): string[] {
  const divider = dividerOf(split, data);
  return [...new Set([key, data.target.name, ...typedColumns(data.columns).map(({ name }) => name), ...(divider ? [divider.column.name] : [])])];
}

/** Stages what a source's reading gives. Columns that are missing, or of another type, are a finding. */
export async function stageReading(duck: Duck, context: TableContext, { source, index, name, reading: own }: ReadRows): Promise<void> {
  const { data, findings, views } = context;
  const reading = views.length === 0 ? own : await joinViews(duck, { ...context, severity: data.checks.unreadable }, { source, index, name, reading: own });
  if (!reading) return;
  const columns = typedColumns(data.columns);
  const divider = dividerOf(source.split, data);
  const { from, types, column, ordinal, origin, originBefore, anyOrder, where, settle } = reading;
  const missing = types === null ? [] : neededColumns(source, context).filter((wanted) => !types.has(wanted));
  if (missing.length > 0) {
    findings.add('wrong-shape', 'block', `columns are missing: ${missing.join(', ')}`, name);
    return;
  }
  const typeOf = (wanted: string) => types?.get(wanted) ?? 'VARCHAR';
  const read = divider?.input === null ? [...columns, divider.column] : columns;
  const foreign = read.filter((one) => !mayHold(one, typeOf(one.name)));
  if (foreign.length > 0) {
    findings.add('wrong-type', 'block', `columns of another type: ${foreign.map((one) => `${one.name} (${typeOf(one.name)}) has to hold ${describeColumn(one)}`).join('; ')}`, name);
    return;
  }
  const values = read.map((one, place) => `${stagedValue(one, column(one.name, one.type === 'number' ? 'number' : 'text'), typeOf(one.name))} as ${place < columns.length ? columnOf(place) : DIVIDER}`).join(', ');
  await duck.run(`set preserve_insertion_order = ${anyOrder !== true}`);
  await settle(await duck.change(
    `insert into staged by name select * exclude (hashed${read === columns ? '' : `, ${DIVIDER}`}), ${splitSql(source.split, divider && dividerSql(divider, DIVIDER), 'hashed')} as split, ${placeSql('hashed')} as place from (select *, ${KEY_HASH} as hashed from (
       select ${index} as source, ${ordinal} as ordinal, ${originBefore ?? origin} as origin, ${column(source.key, 'text')}::varchar as key,
         ${labelSql(data, column, typeOf(data.target.name))} as label, ${literal(canonicalJson(source.attributes))} as attributes, ${values} from ${from} where ${where}))`));
}

/** A label as text. */
function labelSql({ target }: Table, column: Reading['column'], type: string): string {
  if (target.task !== 'regression') return `${column(target.name, 'text')}::varchar`;
  const written = column(target.name, 'number');
  const value = type === 'VARCHAR' ? `nullif(trim(${written}), '')` : written;
  return numberText(value);
}
