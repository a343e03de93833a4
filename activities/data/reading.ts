import type { SourceOf } from '../../definition/sources.js';
import type { Duck } from './duckdb.js';
import { NAMED_ROWS } from './findings.js';
import type { Check, Findings, Severity } from './findings.js';

/** Ends an `origin` that the row's number belongs behind. */
export const NUMBERED = ' row ';
/** A staged row's name in reports, as SQL. */
export const ORIGIN = `case when suffix(origin, '${NUMBERED}') then origin || ordinal else origin end`;

/** How the rows of one file are read by DuckDB. */
export interface Reading {
  /** A table of the file's rows, in their order. */
  readonly from: string;
  /** DuckDB's type of each column. Null: every column may be asked for, is text, and is null in rows that do not have it. */
  readonly types: ReadonlyMap<string, string> | null;
  /** A column of `from`, as SQL; as a number, it is text that is one in any locale. */
  readonly column: (name: string, as: 'number' | 'text') => string;
  /** A row's number in the file and its name in reports, as SQL. */
  readonly ordinal: string;
  readonly origin: string;
  /** The same text, as {@link ORIGIN} puts it together: what is before the number, where that is `ordinal`. A text of its own for every row would take a tenth of staging them. */
  readonly originBefore?: string;
  /** Rows know their number wherever they are read, so that several threads may read them in any order. */
  readonly anyOrder?: true;
  /** Rows of `from` that are rows of the source. */
  readonly where: string;
  /** Called once these are staged: reports what is not a row. */
  readonly settle: (staged: number) => Promise<void>;
}

export interface FileToRead<K extends 'parquet' | 'csv' | 'ndjson'> {
  readonly duck: Duck; readonly source: SourceOf<K>; readonly name: string; readonly path: string; /** Where the file may be unpacked to. */ readonly unpacked: string;
  readonly findings: Findings; readonly severity: Severity; readonly signal: AbortSignal;
}

/** Reports lines of one file: each finding names the first of them and counts all. */
export function reportLines(findings: Findings, check: Check, severity: Severity, message: string, name: string, lines: readonly number[]): void {
  findings.addRows(check, severity, message, lines.slice(0, NAMED_ROWS).map((line) => `${name} line ${line}`), lines.length);
}
