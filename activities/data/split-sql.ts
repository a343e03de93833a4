import { typedColumn, typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { columnOfSplit } from '../../definition/splits.js';
import type { SplitRule } from '../../definition/splits.js';
import { instantOf } from '../../domain/cells.js';
import { columnOf } from './column-names.js';
import { literal } from './duckdb.js';
import type { Table } from './tables.js';

/** What divides a source's rows besides their key. */
export interface Divider {
  readonly column: TypedColumn;
  /** Its place among the input columns; null where it is none of them, so that it has to be read by itself. */
  readonly input: number | null;
}

/** The column by which a source's rows are divided. A group that is no input column counts as text, one that is as its value, in every format alike. */
export function dividerOf(rule: SplitRule, data: Table): Divider | null {
  const name = columnOfSplit(rule);
  if (name === null || typeof rule === 'string') return null;
  const columns = typedColumns(data.columns);
  const index = columns.findIndex((column) => column.name === name);
  const column = columns[index];
  return column ? { column, input: index } : { column: typedColumn({ name, type: 'byTime' in rule ? 'time' : 'text', nullable: true }), input: null };
}

/** The divider among staged rows, as SQL; `own` is its name where it was read by itself. */
export function dividerSql({ input }: Divider, own: string): string {
  return input === null ? own : `${columnOf(input)}::varchar`;
}

/** The hash that decides where a row goes, as SQL over `key`. */
export const KEY_HASH = 'sha256(key)';

/** A number of 32 bits, the same hash as `shardOf` of domain/, as SQL. */
export const placeSql = (keyHash: string) => `('0x' || substr(${keyHash}, 9, 8))::ubigint`;

/** Where a hash lies between 0 and 1, as SQL: its first 32 bits, as `splitOf` of domain/ takes them. */
export const positionSql = (hash: string) => `(('0x' || substr(${hash}, 1, 8))::ubigint / 4294967296.0::double)`;

/**
 * A row's split as SQL over `key` and, where the rule needs one, over the staged text `divider`: the same rule as `splitOf` of
 * domain/. Null where the divider is missing or no time. With shares of a time it is the time itself, until {@link boundedSplit}.
 */
export function splitSql(rule: SplitRule, divider: string | null, keyHash = KEY_HASH): string {
  if (typeof rule === 'string') return literal(rule);
  if ('byKey' in rule) return byHash(keyHash, rule.byKey);
  if (divider === null) throw new TypeError('rows that are divided by a column come with it');
  if ('byGroup' in rule) return `case when ${divider} is not null then ${byHash(`sha256(${divider})`, rule.byGroup)} end`;
  const time = `case when not starts_with(${divider}, '!') then ${divider} end`;
  return 'train' in rule.byTime ? time : boundedSplit(time, { validationFrom: rule.byTime.validationFrom ?? null, testFrom: rule.byTime.testFrom });
}

function byHash(hash: string, { train, validation, test }: { train: number; validation: number; test: number }): string {
  const rest = validation === 0 ? 'test' : 'validation';
  return `case when ${belowSql(hash, test)} then 'test' when ${train === 0 ? 'true' : belowSql(hash, test + validation)} then ${literal(rest)} else 'train' end`;
}

/** Whether {@link positionSql} is below a share. Digits of one length are in the order of their numbers, so that none has to be read. */
function belowSql(hash: string, share: number): string {
  const least = Math.ceil(share * 2 ** 32);
  return least >= 2 ** 32 ? 'true' : `${hash} < ${literal(least.toString(16).padStart(8, '0'))}`;
}

/** Where validation and test begin; null: never. A row of that very time belongs to what begins. */
export interface Boundaries { readonly validationFrom: string | null; readonly testFrom: string | null }

/** The split of a time, as SQL. Staged times sort as text. */
export function boundedSplit(time: string, { validationFrom, testFrom }: Boundaries): string {
  const from = (boundary: string | null, split: string) => (boundary === null ? '' : `when ${time} >= ${literal(instantOf(boundary) ?? boundary)} then '${split}' `);
  return `case when ${time} is null then null ${from(testFrom, 'test')}${from(validationFrom, 'validation')}else 'train' end`;
}
