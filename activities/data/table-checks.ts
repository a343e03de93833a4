import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { columnOfSplit } from '../../definition/splits.js';
import { describeColumn } from '../../domain/cells.js';
import { columnOf } from './column-names.js';
import { canonicalText, isUnreadable } from './column-sql.js';
import { literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import { NAMED_ROWS } from './findings.js';
import type { Check, Findings, Severity } from './findings.js';
import type { Table } from './tables.js';

/** Reports the rows of `staged` that cannot be used, named by their key or their place in the file. Returns, as SQL, what holds for the others. */
export async function checkTableRows(duck: Duck, data: Table, findings: Findings): Promise<string> {
  const { target } = data;
  const report = async (check: Check, severity: Severity, message: string, where: string, found?: string) => {
    const [bad] = await duck.rows<{ n: bigint }>(`select count(*) as n from staged where ${where}`);
    const rows = Number(bad?.n ?? 0);
    if (rows === 0) return;
    const named = await duck.rows<{ name: string }>(`select coalesce(key || ' (' || origin || ')', origin)${found === undefined ? '' : ` || ': ' || ${found}`} as name from staged where ${where} order by source, origin, ordinal limit ${NAMED_ROWS}`);
    findings.addRows(check, severity, message, named.map(({ name }) => name), rows);
  };
  await report('unreadable', data.checks.unreadable, 'rows without a key', 'key is null');
  const dividers = [...new Set(data.sources.flatMap(({ split }) => columnOfSplit(split) ?? []))];
  if (dividers.length > 0) await report('missing-value', data.checks.unreadable, `rows without a value of ${dividers.join(' or ')} that says their split`, 'split is null');
  const unlabelled = unlabelledSql(target);
  if (target.task === 'regression') await report('not-a-number', data.checks.unreadable, `the target ${target.name} has to be a finite number`, unlabelled, 'coalesce(label, \'nothing\')');
  else await report('unknown-class', 'drop', `rows whose label is no class of the definition (${target.classes.join(', ')})`, unlabelled);
  const faults = typedColumns(data.columns).flatMap(faultsOf);
  // One pass finds the columns concerned; only these are looked at again.
  const [counts] = await duck.rows<Record<string, bigint>>(`select ${faults.map(({ where }, index) => `count(*) filter (where ${where}) as f${index}`).join(', ')} from staged`);
  for (const [index, { check, message, where }] of faults.entries()) {
    if (Number(counts?.[`f${index}`] ?? 0) > 0) await report(check, data.checks.unreadable, message, where);
  }
  const bad = ['key is null', ...(dividers.length > 0 ? ['split is null'] : []), unlabelled, ...faults.map(({ where }) => where)].join(' or ');
  return `not (${bad})`;
}

/** A condition: the row has no label that can be learned. */
function unlabelledSql(target: Table['target']): string {
  if (target.task === 'regression') return 'coalesce(not isfinite(try_cast(label as double)), true)';
  return `(label is null or label not in (${target.classes.map(literal).join(', ')}))`;
}

/** What may be wrong with a column's values: a number that must be there is one that is finite. */
function faultsOf(column: TypedColumn, index: number): { check: Check; message: string; where: string }[] {
  const { name, type, nullable } = column;
  const value = columnOf(index);
  const unreadable = isUnreadable(column, value);
  if (type === 'number') return [{ check: 'not-a-number', message: `the column ${name} has to be ${describeColumn(column)}`, where: nullable ? unreadable : `(${value} is null or ${unreadable})` }];
  return [
    { check: 'wrong-type', message: `the column ${name} has to be ${describeColumn(column)}`, where: unreadable },
    ...(nullable ? [] : [{ check: 'missing-value' as const, message: `the column ${name} is not nullable, and has no value`, where: `${value} is null` }]),
  ];
}

/** A row as bytes that no other row has, as SQL: the canonical row of contract/snapshot.ts. It decides which of several rows with one key stays. */
export function canonicalRow(data: Table): string {
  const columns = typedColumns(data.columns);
  const texts = columns.map((column, index) => canonicalText(column, columnOf(index))).filter((text) => text !== null);
  const numbers = columns.flatMap(({ type, nullable }, index) => (type !== 'number' ? [] : [nullable ? `coalesce(${columnOf(index)}::bit::blob, ''::blob)` : `${columnOf(index)}::bit::blob`]));
  return joined([`encode(to_json([${['key', 'split', 'label', 'attributes', ...texts].join(', ')}])::varchar)`, ...numbers]);
}

/** In pairs, then pairs of pairs: one after another, every `||` would copy all that came before it. */
function joined(parts: readonly string[]): string {
  const half = Math.ceil(parts.length / 2);
  return parts.length <= 1 ? parts.join('') : `(${joined(parts.slice(0, half))} || ${joined(parts.slice(half))})`;
}
