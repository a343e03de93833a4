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
import { ORIGIN } from './reading.js';
import type { Table } from './tables.js';

/** Reports the rows of `staged` that cannot be used, named by their key or their place in the file. Returns, as SQL, what holds for the others. */
export async function checkTableRows(duck: Duck, data: Table, findings: Findings): Promise<string> {
  const dividers = [...new Set(data.sources.flatMap(({ split }) => columnOfSplit(split) ?? []))];
  const { unreadable } = data.checks;
  const faults: Fault[] = [
    { check: 'unreadable', severity: unreadable, message: 'rows without a key', where: 'key is null' },
    ...(dividers.length > 0 ? [{ check: 'missing-value' as const, severity: unreadable, message: `rows without a value of ${dividers.join(' or ')} that says their split`, where: 'split is null' }] : []),
    unlabelled(data),
    ...typedColumns(data.columns).flatMap(faultsOf).map((fault) => ({ ...fault, severity: unreadable })),
  ];
  // One pass finds what is wrong; only for that are the rows looked at again.
  const [counts] = await duck.rows<Record<string, bigint>>(`select ${faults.map(({ where }, index) => `count(case when ${where} then 1 end) as f${index}`).join(', ')} from staged`);
  const found = faults.map((fault, index) => ({ ...fault, rows: Number(counts?.[`f${index}`] ?? 0) })).filter(({ rows }) => rows > 0);
  for (const { check, severity, message, where, shown, rows } of found) {
    const named = await duck.rows<{ name: string }>(`select coalesce(key || ' (' || ${ORIGIN} || ')', ${ORIGIN})${shown === undefined ? '' : ` || ': ' || ${shown}`} as name from staged where ${where} order by source, ${ORIGIN}, ordinal limit ${NAMED_ROWS}`);
    findings.addRows(check, severity, message, named.map(({ name }) => name), rows);
  }
  return found.length === 0 ? 'true' : `not (${found.map(({ where }) => where).join(' or ')})`;
}

/** What may be wrong with a row. */
interface Fault { readonly check: Check; readonly severity: Severity; readonly message: string; readonly where: string; /** A value that reports show. */ readonly shown?: string }

function unlabelled({ target, checks }: Table): Fault {
  const where = unlabelledSql(target);
  if (target.task === 'regression') return { check: 'not-a-number', severity: checks.unreadable, message: `the target ${target.name} has to be a finite number`, where, shown: 'coalesce(label, \'nothing\')' };
  return { check: 'unknown-class', severity: 'drop', message: `rows whose label is no class of the definition (${target.classes.join(', ')})`, where };
}

/** A condition: the row has no label that can be learned. */
function unlabelledSql(target: Table['target']): string {
  if (target.task === 'regression') return 'coalesce(not isfinite(try_cast(label as double)), true)';
  return `(label is null or label not in (${target.classes.map(literal).join(', ')}))`;
}

/** What may be wrong with a column's values: a number that must be there is one that is finite. */
function faultsOf(column: TypedColumn, index: number): Omit<Fault, 'severity'>[] {
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
