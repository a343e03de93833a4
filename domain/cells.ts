import type { TypedColumn } from '../definition/columns.js';
import { canonicalJson } from './canonical.js';

/** A value of a typed column; times are `2026-01-31T08:00:00.000Z`, null is a missing value. */
export type Cell = number | string | boolean | null;

/** The values of one row, in the order of the columns. */
export type CellRow = readonly Cell[];

/** Half of a character: such a text has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Reads a value from JSON; undefined where it is not of the column's type, or missing in a column that is not nullable. */
export function cellOf({ type, nullable }: TypedColumn, value: unknown): Cell | undefined {
  if (value === null || value === undefined) return nullable ? null : undefined;
  switch (type) {
    // JSON writes -0 as 0: it has to be the same number everywhere.
    case 'number': return typeof value === 'number' && Number.isFinite(value) ? value + 0 : undefined;
    case 'text': return typeof value === 'string' && !LONE_SURROGATE.test(value) ? value : undefined;
    case 'boolean': return typeof value === 'boolean' ? value : undefined;
    case 'time': return typeof value === 'string' ? instantOf(value) : undefined;
  }
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** An ISO 8601 time with an offset, or a date (its midnight in UTC), as it is written in cells; undefined where it is neither. */
export function instantOf(text: string): string | undefined {
  if (!DATE.test(text) && !INSTANT.test(text)) return undefined;
  const time = new Date(text.replace(' ', 'T'));
  if (Number.isNaN(time.getTime())) return undefined;
  // JavaScript rolls 30 February over into March; a calendar does not have it.
  return Number(text.slice(8, 10)) <= daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7))) ? time.toISOString() : undefined;
}

/** A time as a definition may write it: one without an offset is in UTC. */
export function instantOfBound(text: string): string | undefined {
  return instantOf(text) ?? instantOf(`${text}Z`);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** What a value of the column has to be, in words. */
export function describeColumn({ type, nullable }: TypedColumn): string {
  const what = { number: 'a finite number', text: 'text', boolean: 'true or false', time: 'a time with an offset, as 2026-01-31T08:00:00Z, or a date' }[type];
  return nullable ? `${what}, or null` : what;
}

/** A row as the prediction log keeps it: UTF-8 of the canonical JSON object of its columns, by name. */
export function encodeRow(columns: readonly TypedColumn[], cells: CellRow): Uint8Array {
  return new TextEncoder().encode(canonicalJson(Object.fromEntries(columns.map(({ name }, index) => [name, cells[index] ?? null]))));
}

/** Reads what {@link encodeRow} wrote, for these columns: others are passed over; null where the bytes are no such row, or lack a value. */
export function decodeRow(columns: readonly TypedColumn[], bytes: Uint8Array): Cell[] | null {
  let row: unknown;
  try {
    row = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null; // the caller says which row it was
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return null;
  const cells: Cell[] = [];
  for (const column of columns) {
    const cell = cellOf(column, (row as Record<string, unknown>)[column.name]);
    if (cell === undefined) return null;
    cells.push(cell);
  }
  return cells;
}
