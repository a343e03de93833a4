import type { ColumnType, TypedColumn } from '../../definition/columns.js';
import { literal } from './duckdb.js';

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;
const TIME = /^(DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/;

/** Whether values of a DuckDB type are, or may be read as, those of a column. */
export function mayHold(column: TypedColumn, type: string): boolean {
  const scalar = NUMBER.test(type) || type === 'BOOLEAN' || type === 'VARCHAR';
  switch (column.type) {
    case 'number': return scalar;
    case 'boolean': return scalar;
    case 'text': return scalar || TIME.test(type) || type === 'UUID' || type.startsWith('ENUM');
    case 'time': return TIME.test(type) || type === 'VARCHAR';
  }
}

/** DuckDB's type of a column while the rows are worked on. Booleans and times are text then, so that a value that is none can be told. */
export function stagedType(type: ColumnType): string {
  return type === 'number' ? 'double' : 'varchar';
}

/** Begins the text of a value that could not be read as the column's type. */
const UNREADABLE = '!';
const ISO = '%Y-%m-%dT%H:%M:%S.%gZ';

/**
 * A value of DuckDB's type `type`, given as SQL, as it is staged: null where it is missing; where it cannot be read as the column's type,
 * infinity (numbers) or a text that begins with `!` (booleans, times). Times without an offset are taken as UTC in columns of a
 * time type, and cannot be read in text. In text, all but white space is needed: an empty field of a number, boolean or time is missing.
 */
export function stagedValue({ type: columnType, nullable }: TypedColumn, sql: string, type: string): string {
  const value = type === 'VARCHAR' ? `nullif(trim(${sql}), '')` : sql;
  const orMark = (read: string) => `case when ${value} is not null then coalesce(${read}, ${literal(UNREADABLE)} || ${value}::varchar) end`;
  switch (columnType) {
    case 'text': return `${sql}::varchar`;
    case 'number': {
      // Every number of DuckDB's is a double, near enough; only of a text it has to be found out.
      const number = type === 'VARCHAR' ? `case when ${value} is not null then coalesce(try_cast(${value} as double), 'infinity'::double) end` : type === 'DOUBLE' ? value : `${value}::double`;
      // Data frames write what is missing as NaN.
      return nullable ? `nullif(${number}, 'nan'::double)` : number;
    }
    case 'boolean': return orMark(NUMBER.test(type) ? `case ${value} when 0 then 'false' when 1 then 'true' end` : `try_cast(${value} as boolean)::varchar`);
    case 'time': return orMark(timeSql(value, type));
  }
}

function timeSql(value: string, type: string): string {
  if (type !== 'VARCHAR') return `strftime(${type === 'TIMESTAMP WITH TIME ZONE' ? `${value} at time zone 'UTC'` : `${value}::timestamp`}, ${literal(ISO)})`;
  const [date, offset] = [String.raw`\d{4}-\d\d-\d\d`, String.raw`(Z|[+-]\d\d:?\d\d)`];
  return `case when regexp_full_match(${value}, ${literal(date)}) then strftime(try_cast(${value} as timestamp), ${literal(ISO)})
    when regexp_full_match(${value}, ${literal(`${date}[T ]${String.raw`\d\d:\d\d(:\d\d(\.\d+)?)?`}${offset}`)}) then strftime(try_cast(${value} as timestamptz) at time zone 'UTC', ${literal(ISO)}) end`;
}

/** A condition: the staged value could not be read. */
export function isUnreadable({ type }: TypedColumn, sql: string): string {
  switch (type) {
    case 'number': return `(${sql} is not null and not isfinite(${sql}))`;
    case 'text': return 'false';
    case 'boolean': case 'time': return `coalesce(starts_with(${sql}, ${literal(UNREADABLE)}), false)`;
  }
}

/** The part of the canonical row's JSON array that stands for a staged value; null where it has none. */
export function canonicalText({ type, nullable }: TypedColumn, sql: string): string | null {
  if (type !== 'number') return sql;
  return nullable ? `case when ${sql} is not null then '' end` : null;
}

/** A staged value as a shard holds it. */
export function storedValue({ type }: TypedColumn, sql: string): string {
  return type === 'boolean' ? `${sql}::boolean` : sql;
}
