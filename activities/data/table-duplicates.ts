import type { Duck } from './duckdb.js';
import { NAMED_ROWS } from './findings.js';
import type { Check, Findings, Severity } from './findings.js';
import type { Buckets } from './table-buckets.js';
import { canonicalRow } from './table-checks.js';
import type { Table } from './tables.js';

/** Leaves one row of each key. Of a key in several splits, the row that judges stays. */
export async function selectTableRows(duck: Duck, data: Table, good: Buckets, findings: Findings, signal: AbortSignal): Promise<Buckets> {
  const { conflictingLabels, duplicates } = data.checks;
  const bucket = `(place % ${good.count})::integer`;
  await duck.run('create table repeated (bucket integer, key varchar, copies bigint, labels bigint, splits bigint, named varchar)');
  for (const buckets of good.passes) {
    signal.throwIfAborted();
    const rows = good.rows(buckets);
    await duck.run(
      `insert into repeated select any_value(${bucket}), key, count(*), count(distinct label), count(distinct split), string_agg(distinct label, ' = ' order by label)
       from ${rows} where key in (select key from ${rows} group by key having count(*) > 1) group by key`);
  }
  const concerned = await duck.rows<{ bucket: number }>('select distinct bucket from repeated order by bucket');
  if (concerned.length === 0) return good;
  const report = async (check: Check, severity: Severity, message: string, where: string) => {
    const [total] = await duck.rows<{ n: bigint | null }>(`select sum(copies)::bigint as n from repeated where ${where}`);
    const rows = Number(total?.n ?? 0);
    if (rows === 0) return;
    const named = await duck.rows<{ name: string }>(`select key || case when labels > 1 then ' (' || named || ')' else '' end as name from repeated where ${where} order by key limit ${NAMED_ROWS}`);
    findings.addRows(check, severity, message, named.map(({ name }) => name), rows);
  };
  await report('conflicting-label', conflictingLabels, data.target.task === 'regression' ? 'one key with two targets' : 'one key under two classes', 'labels > 1');
  await report('duplicate', duplicates, 'one key names several rows; the first is kept', 'labels = 1 and splits = 1');
  await report('duplicate', duplicates, 'one key in several splits; the row that judges is kept', 'labels = 1 and splits > 1');
  await duck.run('create table left_out (bucket integer, row bigint)');
  const noneStays = conflictingLabels === 'warn' ? 'false' : 'labels > 1';
  const all = good.passes.flat();
  for (const buckets of good.passes.filter((some) => concerned.some((one) => some.includes(one.bucket)))) {
    signal.throwIfAborted();
    await duck.run(
      `insert into left_out select ${bucket}, row from ${good.rows(buckets)} join (select key, labels from repeated where bucket in (${buckets.join(', ')})) using (key)
       qualify ${noneStays} or row_number() over (partition by key order by case split when 'test' then 0 when 'validation' then 1 else 2 end, source, sha256(${canonicalRow(data)})) > 1`);
  }
  return {
    ...good,
    rows: (some = all) => `(select * from ${good.rows(some)} where row not in (select row from left_out where bucket in (${some.join(', ')})))`,
  };
}
