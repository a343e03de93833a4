import { literal } from './duckdb.js';

const DATE = String.raw`\d{4}-\d\d-\d\d`;
/** To the microsecond: what is finer could not be compared. */
const INSTANT = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)`;

/**
 * A value of DuckDB's type `type`, given as SQL, as a TIMESTAMP in UTC, to the microsecond; null where it is missing or no time. Times without
 * an offset are taken as UTC in columns of a time type, and are none in text. What is finer than a microsecond is `raised` to the next one, or
 * cut: an event counts as later, and a row that looks back as earlier, so that none of them sees the other's future.
 */
export function eventTimeSql(sql: string, type: string, rounding: 'raised' | 'cut'): string {
  switch (type) {
    case 'TIMESTAMP WITH TIME ZONE': return `(${sql} at time zone 'UTC')`;
    case 'TIMESTAMP': case 'TIMESTAMP_S': case 'TIMESTAMP_MS': case 'DATE': return `${sql}::timestamp`;
    case 'TIMESTAMP_NS': {
      const nanoseconds = `(epoch_ns(${sql})${rounding === 'raised' ? ' + 999' : ''})`;
      // Whole numbers, and down also before 1970.
      return `make_timestamp((${nanoseconds} - (${nanoseconds} % 1000 + 1000) % 1000) // 1000)`;
    }
    case 'VARCHAR': {
      const text = `trim(${sql})`;
      return `case when regexp_full_match(${text}, ${literal(DATE)}) then try_cast(${text} as timestamp) when regexp_full_match(${text}, ${literal(INSTANT)}) then try_cast(${text} as timestamptz) at time zone 'UTC' end`;
    }
    default: return 'null::timestamp';
  }
}

/** A TIMESTAMP, given as SQL, as text: `2026-01-31T08:00:00.000000Z`. */
export function microsecondSql(sql: string): string {
  return `strftime(${sql}, '%Y-%m-%dT%H:%M:%S.%fZ')`;
}
