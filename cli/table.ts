import { stripVTControlCharacters } from 'node:util';

const widthOf = (text: string) => stripVTControlCharacters(text).length;

/** Rows under headings, in columns two blanks apart. Numbers stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  const cells = [headings.map(String), ...rows.map((row) => headings.map((_heading, index) => textOf(row[index])))];
  const widths = headings.map((_heading, index) => Math.max(...cells.map((row) => widthOf(row[index] ?? ''))));
  const numeric = headings.map((_heading, index) => rows.length > 0 && rows.every((row) => typeof row[index] === 'number'));
  return cells.map((row) => row.map((cell, index) => pad(cell, widths[index] ?? 0, numeric[index] ?? false)).join('  ').trimEnd()).join('\n');
}

function textOf(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? '-' : String(value);
}

function pad(text: string, width: number, right: boolean): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)));
  return right ? blanks + text : text + blanks;
}

/** `0.9184` as `0.918`; nothing as `-`. */
export function figure(value: number | null | undefined, digits = 3): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits);
}

/** A time to the second, UTC. */
export function moment(iso: string | null | undefined): string {
  return iso ? `${new Date(iso).toISOString().slice(0, 19)}Z` : '-';
}

/** `0:34`, `12:05`, `3:07:59`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${String(rest).padStart(2, '0')}` : `${minutes}:${String(rest).padStart(2, '0')}`;
}
