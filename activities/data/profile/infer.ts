import { basename } from 'node:path';
import type { DataProfile } from '../../../contract/data-profile.js';
import { PerennialError } from '../../../contract/errors.js';
import type { TypedColumn, ColumnType } from '../../../definition/columns.js';
import { Source } from '../../../definition/sources.js';
import { isUnreadable, mayHold, stagedValue } from '../column-sql.js';
import { identifier, literal } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import { Findings } from '../findings.js';
import { readCsv } from '../read-csv.js';
import { readNdjson } from '../read-ndjson.js';
import { readParquet } from '../read-parquet.js';
import type { Reading } from '../reading.js';
import { takeRejected } from '../rejected-lines.js';
import { scanText } from '../text-file.js';
import { profileRows } from './table-profile.js';

/** A column that files have: what its values can all be read as. */
export interface InferredColumn extends TypedColumn { readonly distinct: number; readonly missing: number; /** No value twice, none missing: rows could be named by it. */ readonly unique: boolean }
export interface InferredTable { readonly kind: 'csv' | 'parquet' | 'ndjson'; readonly columns: readonly InferredColumn[]; /** Lines that are no row, by file and number. */ readonly leftOut: readonly string[] }

/** In the order in which they are tried; what is none of them is text. */
const TYPES = ['number', 'boolean', 'time'] as const satisfies readonly ColumnType[];
const EXTENSIONS: readonly (readonly [RegExp, InferredTable['kind']])[] = [[/\.parquet$/i, 'parquet'], [/\.(csv|tsv|txt)(\.\w+)?$/i, 'csv'], [/\.(ndjson|jsonl|json)(\.\w+)?$/i, 'ndjson']];

/**
 * Reads files of one kind as a snapshot does, all rows, into the table `inferred`, and tells each column's type by the rules by which
 * a snapshot reads it: what is found is what is accepted there.
 * @throws PerennialError `data/blocked` for a file of another kind, one that cannot be read, or files of different columns
 */
export async function inferTable(duck: Duck, files: readonly string[], folder: string, signal: AbortSignal): Promise<InferredTable> {
  const kinds = new Set(files.map(kindOf));
  const [kind] = kinds;
  if (kind === undefined || kinds.size > 1) throw new PerennialError('data/blocked', `files of one kind are asked for; these are ${[...kinds].join(' and ') || 'none'}`);
  let names: string[] | null = null;
  const leftOut: string[] = [];
  for (const [index, path] of files.entries()) {
    signal.throwIfAborted();
    const reading = await read(duck, kind, path, `${folder}/unpacked-${index}`, signal);
    const present = reading.names;
    if (names && names.join('\0') !== present.join('\0')) throw new PerennialError('data/blocked', `${basename(path)} has the columns ${present.join(', ')}; the files before it have ${names.join(', ')}`);
    const values = present.map((name) => `${reading.column(name, 'text')} as ${identifier(name)}`).join(', ');
    await duck.run(names ? `insert into inferred by name select ${values} from ${reading.from} where ${reading.where}` : `create table inferred as select ${values} from ${reading.from} where ${reading.where}`);
    if (kind !== 'parquet') leftOut.push(...(await takeRejected(duck)).map(({ line }) => `${basename(path)} line ${line}`));
    names = present;
  }
  return { kind, columns: await columnsOf(duck), leftOut };
}

function kindOf(path: string): InferredTable['kind'] {
  const found = EXTENSIONS.find(([pattern]) => pattern.test(path));
  if (!found) throw new PerennialError('data/blocked', `${basename(path)}: not the name of a CSV (.csv, .tsv), Parquet (.parquet) or JSON lines (.ndjson, .jsonl) file`);
  return found[1];
}

async function read(duck: Duck, kind: InferredTable['kind'], path: string, unpacked: string, signal: AbortSignal): Promise<Reading & { names: string[] }> {
  const findings = new Findings();
  const common = { duck, name: basename(path), path, unpacked, findings, severity: 'block' as const, signal };
  const about = { location: 'here', path: '*', key: 'key', split: 'train' };
  switch (kind) {
    case 'parquet': return named(await readParquet({ ...common, source: parsed({ kind, ...about }, kind) }));
    case 'csv': return named(await readCsv({ ...common, source: parsed({ kind, ...about, ...(/\.tsv/i.test(path) ? { delimiter: '\t' } : {}) }, kind) }));
    case 'ndjson': {
      const source = parsed({ kind, ...about }, kind);
      const fields = await fieldNames(duck, (await scanText(path, unpacked, {}, signal)).path);
      return { ...await readNdjson({ ...common, source }, fields), names: fields };
    }
  }
}

function parsed<K extends Source['kind']>(source: unknown, kind: K): Extract<Source, { kind: K }> {
  const found = Source.parse(source);
  if (found.kind !== kind) throw new TypeError(`a source of kind ${kind}`);
  return found as Extract<Source, { kind: K }>;
}

const named = (reading: Reading) => ({ ...reading, names: [...reading.types?.keys() ?? []].filter((name) => name !== 'file_row_number') });

/** Names of fields, in the order in which they first come. */
async function fieldNames(duck: Duck, path: string): Promise<string[]> {
  const rows = await duck.rows<{ name: string }>(`select name from (select unnest(keys) as name, unnest(range(len(keys))) as place, line
    from (select json_keys(json) as keys, row_number() over () as line from read_ndjson_objects(${literal(path)}, ignore_errors = true))) group by name order by min(line * 100000 + place)`);
  return rows.map(({ name }) => name);
}

/** One scan tells, for every column and type, how many values cannot be read as it. */
async function columnsOf(duck: Duck): Promise<InferredColumn[]> {
  const described = await duck.rows<{ column_name: string; column_type: string }>('describe inferred');
  const asked = described.map(({ column_name: name, column_type: type }) => {
    const sql = identifier(name);
    const candidates = TYPES.filter((one) => mayHold({ name, type: one, nullable: true }, type) && !(type === 'BOOLEAN' && one === 'number'));
    return { name, type, sql, candidates };
  });
  const figures = asked.flatMap(({ type, sql, candidates, name }, index) => [
    `count(*) filter (where ${sql} is not null and trim(${sql}::varchar) <> '') as present_${index}`, `count(${sql}) as texts_${index}`, `count(distinct ${sql}) as distinct_${index}`,
    // What begins with a zero is a code: as a number it would lose it.
    `count(*) filter (where ${type === 'VARCHAR' ? `regexp_matches(trim(${sql}), '^[+-]?0\\d')` : 'false'}) as codes_${index}`,
    ...candidates.map((one) => { const column = { name, type: one, nullable: true }; return `count(*) filter (where ${isUnreadable(column, `(${stagedValue(column, sql, type)})`)}) as bad_${index}_${one}`; }),
  ]);
  const [found = {}] = await duck.rows<Record<string, bigint>>(`select count(*) as n, ${figures.join(', ')} from inferred`);
  const figure = (name: string) => Number(found[name] ?? 0);
  const rows = figure('n');
  return asked.map(({ name, candidates }, index) => {
    const type = figure(`present_${index}`) === 0 ? undefined : candidates.find((one) => figure(`bad_${index}_${one}`) === 0 && (one !== 'number' || figure(`codes_${index}`) === 0));
    // An empty text is a text; an empty number is missing.
    const missing = rows - figure(type === undefined ? `texts_${index}` : `present_${index}`);
    return { name, type: type ?? 'text', nullable: missing > 0, distinct: figure(`distinct_${index}`), missing, unique: missing === 0 && rows > 0 && figure(`distinct_${index}`) === rows };
  });
}

/** The profile of the table that {@link inferTable} made. @param target the column whose values are the classes; a column of numbers is a target of numbers */
export async function profileInferred(duck: Duck, { columns }: InferredTable, target: string | null, signal: AbortSignal): Promise<DataProfile> {
  const types = new Map((await duck.rows<{ column_name: string; column_type: string }>('describe inferred')).map(({ column_name, column_type }) => [column_name, column_type]));
  const staged = (column: TypedColumn) => stagedValue(column, identifier(column.name), types.get(column.name) ?? 'VARCHAR');
  const chosen = columns.find(({ name }) => name === target);
  if (target !== null && !chosen) throw new PerennialError('data/blocked', `there is no column ${target}; there are ${columns.map(({ name }) => name).join(', ')}`);
  const classes = chosen && !isNumericTarget(chosen) ? await classesOf(duck, chosen.name) : null;
  const inputs = columns.filter(({ name }) => name !== target).map(({ name, type, nullable }): TypedColumn => ({ name, type, nullable }));
  const selected = inputs.map((column) => `${staged(column)} as ${identifier(column.name)}`);
  const label = !chosen ? '\'\'' : classes ? `${identifier(chosen.name)}::varchar` : staged({ ...chosen, nullable: true });
  return profileRows(duck.connection, {
    from: `(select ${[`${label} as label`, ...selected].join(', ')} from inferred)`, columns: inputs,
    target: { name: target ?? '', classes: chosen ? classes : [] }, seed: 0, signal,
  });
}

const MOST_CLASSES = 1000;
/** Numbers of so few values are classes. */
const FEW_VALUES = 20;

export const isNumericTarget = ({ type, distinct }: InferredColumn) => type === 'number' && distinct > FEW_VALUES;

async function classesOf(duck: Duck, column: string): Promise<string[]> {
  const found = await duck.rows<{ name: string }>(`select distinct ${identifier(column)}::varchar as name from inferred where ${identifier(column)} is not null order by 1 limit ${MOST_CLASSES + 1}`);
  if (found.length > MOST_CLASSES) throw new PerennialError('data/blocked', `${column} has more than ${MOST_CLASSES} different values: no target of classes`);
  return found.map(({ name }) => name);
}
