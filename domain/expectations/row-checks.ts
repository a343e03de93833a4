import { RE2JS } from 're2js';
import type { ColumnType } from '../../definition/columns.js';
import type { RequestExpectation } from '../../definition/expectations.js';
import { instantOfBound, type Cell, type CellRow } from '../cells.js';

/** Whether a row misses an expectation. As over a snapshot's rows, what is missing misses nothing but that it be there. */
export type MissesIt = (row: CellRow) => boolean;

/** A column of the rows that are judged. */
export interface NamedColumn { readonly name: string; readonly type: ColumnType }

/**
 * Judges single rows as DuckDB judges those of a snapshot; `columns` are those of the rows, in their order. Patterns are matched as RE2 matches them, in linear time, whatever is asked.
 * @throws RangeError where a column that it speaks of is not there; RE2JSException where a pattern is none of RE2
 */
export function rowCheck(expectation: RequestExpectation, columns: readonly NamedColumn[]): MissesIt {
  if (expectation.kind === 'sum-of') return sumCheck(expectation, columns);
  const place = placeOf(columns, expectation.column);
  const type = columns[place]?.type ?? 'number';
  const present = (holds: (cell: NonNullable<Cell>) => boolean): MissesIt => (row) => { const cell = row[place] ?? null; return cell !== null && !holds(cell); };
  switch (expectation.kind) {
    case 'not-null': return (row) => row[place] === null;
    case 'type': return present((cell) => Number.isInteger(cell)); // of numbers, whether they are whole
    case 'between': {
      const { min, max, strict } = expectation;
      const [least, most] = [boundOf(min, type) ?? -Infinity, boundOf(max, type) ?? Infinity];
      return present((cell) => { const value = quantityOf(cell, type); return strict ? value > least && value < most : value >= least && value <= most; });
    }
    case 'in-set': case 'not-in-set': {
      const values = new Set<unknown>(expectation.values.map((value) => (type === 'time' ? quantityOf(value, type) : value)));
      const isAsked = expectation.kind === 'in-set';
      return present((cell) => values.has(type === 'time' ? quantityOf(cell, type) : cell) === isAsked);
    }
    case 'matches': case 'not-matches': {
      const pattern = RE2JS.compile(expectation.pattern);
      const isAsked = expectation.kind === 'matches';
      return present((cell) => pattern.test(String(cell)) === isAsked);
    }
    case 'length': {
      const { min = 0, max = Infinity } = expectation;
      return present((cell) => { const length = charactersOf(String(cell)); return length >= min && length <= max; });
    }
    case 'compare': {
      const other = placeOf(columns, expectation.other);
      const holds = COMPARED[expectation.operator];
      return (row) => { const [left, right] = [row[place] ?? null, row[other] ?? null]; return left !== null && right !== null && !holds(orderOf(left, right)); };
    }
  }
}

function placeOf(columns: readonly NamedColumn[], name: string): number {
  const place = columns.findIndex((column) => column.name === name);
  if (place < 0) throw new RangeError(`rows hold no column ${name}`);
  return place;
}

/** A number, or milliseconds of a time; a time without an offset is one in UTC. NaN where it is neither. */
function quantityOf(value: NonNullable<Cell>, type: ColumnType): number {
  if (type !== 'time') return Number(value);
  return Date.parse(instantOfBound(String(value)) ?? '');
}

/** A bound that is none, as to DuckDB a time that it cannot read, bounds nothing. */
function boundOf(value: string | number | undefined, type: ColumnType): number | null {
  const bound = value === undefined ? NaN : quantityOf(value, type);
  return Number.isNaN(bound) ? null : bound;
}

function charactersOf(text: string): number {
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters;
}

const COMPARED = {
  '<': (order: number) => order < 0, '<=': (order: number) => order <= 0, '=': (order: number) => order === 0,
  '!=': (order: number) => order !== 0, '>=': (order: number) => order >= 0, '>': (order: number) => order > 0,
} as const;

/** Of two values of one type. Times are written so that their order is that of their texts. */
function orderOf(left: NonNullable<Cell>, right: NonNullable<Cell>): number {
  if (typeof left === 'string' && typeof right === 'string') return left === right ? 0 : orderOfTexts(left, right);
  return Number(left) - Number(right);
}

/** By characters, as the bytes of UTF-8 are ordered; JavaScript's own order differs beyond the basic plane. */
function orderOfTexts(left: string, right: string): number {
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    if (left.charCodeAt(at) !== right.charCodeAt(at)) return (left.codePointAt(at) ?? 0) - (right.codePointAt(at) ?? 0);
  }
  return left.length - right.length;
}

function sumCheck({ columns: names, operator, to, tolerance }: Extract<RequestExpectation, { kind: 'sum-of' }>, columns: readonly NamedColumn[]): MissesIt {
  const places = names.map((name) => placeOf(columns, name));
  const target = typeof to === 'string' ? placeOf(columns, to) : null;
  const holds = SUMMED[operator];
  return (row) => {
    const limit = target === null ? to : row[target] ?? null;
    if (typeof limit !== 'number') return false;
    let sum = 0;
    for (const place of places) {
      const value = row[place];
      if (typeof value !== 'number') return false;
      sum += value;
    }
    return !holds(sum, limit, Math.abs(sum - limit) <= tolerance);
  };
}

const SUMMED = {
  '=': (_sum: number, _limit: number, near: boolean) => near, '!=': (_sum: number, _limit: number, near: boolean) => !near,
  '<': (sum: number, limit: number) => sum < limit, '<=': (sum: number, limit: number, near: boolean) => sum <= limit || near,
  '>': (sum: number, limit: number) => sum > limit, '>=': (sum: number, limit: number, near: boolean) => sum >= limit || near,
} as const;
