import { z } from 'zod';

/** PostgreSQL's text has no form for NUL: it is kept as the replacement character, so that no sender can make a write fail for ever. */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}

/** How `JSON.stringify` writes NUL and half a surrogate pair; the group holds the escaped backslashes before it. */
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** JSON for a `jsonb` parameter. What `jsonb` cannot hold (NUL, half a surrogate pair) becomes the replacement character. */
export function json(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\u') ? text.replace(UNSTORABLE, '$1\\ufffd') : text;
}

/** {@link json}, or SQL null where there is nothing. */
export function jsonOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : json(value);
}

/** A time as every store gives it out: ISO 8601, UTC, milliseconds. */
export const At = z.iso.datetime();

/** Rows of a query as what the schema says; another release may have written them. */
export function parseRows<S extends z.ZodType>(schema: S, rows: readonly unknown[]): z.infer<S>[] {
  return rows.map((row) => schema.parse(row));
}

/** The first row, or null. */
export function parseFirst<S extends z.ZodType>(schema: S, rows: readonly unknown[]): z.infer<S> | null {
  return rows.length === 0 ? null : schema.parse(rows[0]);
}
