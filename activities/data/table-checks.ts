import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { describeColumn } from '../../domain/cells.js';
import { canonicalText, isUnreadable } from './column-sql.js';
import { literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import type { Check, Findings, Severity } from './findings.js';
import { columnOf } from './table-staging.js';
import type { Table } from './tables.js';

const NAMED_ROWS = 20;

/** Leaves the good rows in the table `good`; the others are findings, named by their key or their place in the file. */
export async function checkTableRows(duck: Duck, data: Table, findings: Findings): Promise<void> {
  const known = data.target.classes.map(literal).join(', ');
  const report = async (check: Check, severity: Severity, message: string, where: string) => {
    const [bad] = await duck.rows<{ n: bigint }>(`select count(*) as n from staged where ${where}`);
    const rows = Number(bad?.n ?? 0);
    if (rows === 0) return;
    const named = await duck.rows<{ name: string }>(`select coalesce(key || ' (' || origin || ')', origin) as name from staged where ${where} order by source, origin, ordinal limit ${NAMED_ROWS}`);
    named.forEach(({ name }, index) => { findings.add(check, severity, message, name, index === 0 ? rows - named.length + 1 : 1); });
  };
  await report('unreadable', data.checks.unreadable, 'rows without a key', 'key is null');
  await report('unknown-class', 'drop', `rows whose label is no class of the definition (${data.target.classes.join(', ')})`, `label is null or label not in (${known})`);
  const faults = typedColumns(data.columns).flatMap(faultsOf);
  // One pass finds the columns concerned; only these are looked at again.
  const [counts] = await duck.rows<Record<string, bigint>>(`select ${faults.map(({ where }, index) => `count(*) filter (where ${where}) as f${index}`).join(', ')} from staged`);
  for (const [index, { check, message, where }] of faults.entries()) {
    if (Number(counts?.[`f${index}`] ?? 0) > 0) await report(check, data.checks.unreadable, message, where);
  }
  const bad = ['key is null', 'label is null', `label not in (${known})`, ...faults.map(({ where }) => where)].join(' or ');
  await duck.run(`create table good as select *, sha256(${canonicalRow(data)}) as hash from staged where not (${bad})`);
  await duck.run('drop table staged');
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

/** The bytes that a row's hash is over, as SQL; their form is written down in contract/snapshot.ts. */
function canonicalRow(data: Table): string {
  const columns = typedColumns(data.columns);
  const texts = columns.map((column, index) => canonicalText(column, columnOf(index))).filter((text) => text !== null);
  const numbers = columns.flatMap(({ type, nullable }, index) => (type !== 'number' ? [] : [nullable ? `coalesce(${columnOf(index)}::bit::blob, ''::blob)` : `${columnOf(index)}::bit::blob`]));
  return [`encode(to_json([${['key', 'split', 'label', 'attributes', ...texts].join(', ')}])::varchar)`, ...numbers].join(' || ');
}

/** Leaves the table `kept`: a key is one row. Of a key in several splits, the row that judges stays. */
export async function selectTableRows(duck: Duck, data: Table, findings: Findings): Promise<void> {
  const { conflictingLabels, duplicates } = data.checks;
  await duck.run('create table repeated_keys as select key from good group by key having count(*) > 1');
  const [repeated] = await duck.rows<{ n: bigint }>('select count(*) as n from repeated_keys');
  if (Number(repeated?.n ?? 0) === 0) {
    await duck.run('alter table good rename to kept');
    return;
  }
  await duck.run(
    `create table repeated as select key, count(*) as copies, count(distinct label) as labels, count(distinct split) as splits, string_agg(distinct label, ' = ' order by label) as named
     from good join repeated_keys using (key) group by key`);
  const report = async (check: Check, severity: Severity, message: string, where: string) => {
    const [total] = await duck.rows<{ n: bigint | null }>(`select sum(copies)::bigint as n from repeated where ${where}`);
    const rows = Number(total?.n ?? 0);
    if (rows === 0) return;
    const named = await duck.rows<{ name: string }>(`select key || case when labels > 1 then ' (' || named || ')' else '' end as name from repeated where ${where} order by key limit ${NAMED_ROWS}`);
    named.forEach(({ name }, index) => { findings.add(check, severity, message, name, index === 0 ? rows - named.length + 1 : 1); });
  };
  await report('conflicting-label', conflictingLabels, 'one key under two classes', 'labels > 1');
  await report('duplicate', duplicates, 'one key names several rows; the first is kept', 'labels = 1 and splits = 1');
  await report('duplicate', duplicates, 'one key in several splits; the row that judges is kept', 'labels = 1 and splits > 1');
  await duck.run('create table kept as select * from good where key not in (select key from repeated_keys)');
  const which = conflictingLabels === 'warn' ? 'true' : 'labels = 1';
  await duck.run(
    `insert into kept select good.* from good join repeated using (key) where ${which}
     qualify row_number() over (partition by key order by case split when 'test' then 0 when 'validation' then 1 else 2 end, source, hash) = 1`);
  await duck.run('drop table good');
}
