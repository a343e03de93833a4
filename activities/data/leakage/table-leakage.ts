import { columnNames } from '../../../definition/columns.js';
import { TableLeakage } from '../../../definition/leakage.js';
import { expectedCopies, predictivePower } from '../../../domain/predictive-power.js';
import { predictivePowerOfNumbers } from '../../../domain/predictive-power-of-numbers.js';
import type { ColumnValue } from '../../../domain/predictive-power.js';
import type { Duck } from '../duckdb.js';
import { NAMED_ROWS } from '../findings.js';
import type { Findings } from '../findings.js';
import type { Buckets } from '../table-buckets.js';
import { rowsOf } from '../table-counts.js';
import type { TableCounts } from '../table-counts.js';
import type { Table } from '../tables.js';
import { sampleRows } from './row-sample.js';
import type { RowSample } from './row-sample.js';

/** Reports what a model could learn of its test rows without having understood anything: rows that are copies of them, and columns that say the target. */
export async function checkTableLeakage(duck: Duck, data: Table, { kept, counts }: { kept: Buckets; counts: TableCounts }, findings: Findings, signal: AbortSignal): Promise<void> {
  const { acrossSplits, columns, share } = TableLeakage.parse(data.leakage ?? {});
  if (acrossSplits === 'off' && columns === 'off') return;
  const sample = await sampleRows(duck, data, kept);
  try {
    if (acrossSplits !== 'off') await checkCopies(duck, { data, kept, counts, findings, signal, sample, severity: acrossSplits });
    if (columns === 'off') return;
    if (data.target.task === 'regression') {
      await checkNumberColumns({ data, findings, signal, sample, severity: columns, share });
      return;
    }
    const kinds = new Map(data.target.classes.map((name, index) => [name, index]));
    const classes = sample.labels.map((label) => kinds.get(label) ?? 0);
    for (const [index, name] of columnNames(data.columns).entries()) {
      signal.throwIfAborted();
      const power = predictivePower(await sample.values(index), classes, kinds.size);
      if (power === null || power.lambda < share) continue;
      const taken = power.errors === 0 ? 'each' : `all but ${power.errors}`;
      findings.add('target-leak', columns, `the column ${name} alone tells ${data.target.name}: of ${power.rows} rows that were kept aside it gets ${taken} right, where the most frequent class is wrong on ${power.baselineErrors}; is it known before the target is?`, name);
    }
  } finally {
    await sample.close();
  }
}

/** As the columns of classes are looked through: each alone, held against always saying the median. */
async function checkNumberColumns({ data, findings, signal, sample, severity, share }: { data: Table; findings: Findings; signal: AbortSignal; sample: RowSample; severity: 'block' | 'warn'; share: number }): Promise<void> {
  const targets = sample.labels.map(Number);
  for (const [index, name] of columnNames(data.columns).entries()) {
    signal.throwIfAborted();
    const power = predictivePowerOfNumbers(await sample.values(index), targets);
    if (power === null || power.share < share) continue;
    findings.add('target-leak', severity, `the column ${name} alone tells ${data.target.name}: on ${power.rows} rows that were kept aside it takes away ${(power.share * 100).toFixed(1)}% of the error of always saying the median; is it known before the target is?`, name);
  }
}

/** Hashes of test rows that are in memory at a time. */
const HASHES_AT_ONCE = 1_000_000;

/**
 * Rows of other splits that have a test row's values under another key. Two rows count as copies when 64 bits of a hash over their values agree: among
 * 10,000,000 rows, a fifth of them for testing, that happens by chance about once in a million snapshots.
 */
async function checkCopies(duck: Duck, { data, kept, counts, findings, signal, sample, severity }: { data: Table; kept: Buckets; counts: TableCounts; findings: Findings; signal: AbortSignal; sample: RowSample; severity: 'block' | 'warn' }): Promise<void> {
  const [test, others] = [rowsOf(counts, ({ split }) => split === 'test'), rowsOf(counts, ({ split }) => split !== 'test')];
  if (test === 0 || others === 0) return;
  const parts = Math.ceil(test / HASHES_AT_ONCE);
  await duck.run('create table copied (content ubigint, copies bigint)');
  for (let part = 0; part < parts; part += 1) {
    signal.throwIfAborted();
    const ofPart = (split: string) => `${kept.rows()} where split ${split} 'test' and content % ${parts} = ${part}`;
    await duck.run(`insert into copied select content, count(*) from ${ofPart('<>')} and content in (select content from ${ofPart('=')}) group by content`);
  }
  const [found] = await duck.rows<{ n: bigint | null }>('select sum(copies)::bigint as n from copied');
  const copies = Number(found?.n ?? 0);
  if (copies > 0) {
    const columns: ColumnValue[][] = [];
    for (const index of data.columns.keys()) columns.push(await sample.values(index));
    const expected = expectedCopies(columns, others, test);
    if (copies > 2 * expected) {
      const named = await duck.rows<{ name: string }>(
        `select first(key || ' (' || split || ')' order by key) filter (where split <> 'test') || ' = ' || first(key || ' (test)' order by key) filter (where split = 'test') as name
         from ${kept.rows()} where content in (select content from copied order by content limit ${NAMED_ROWS}) group by content order by name limit ${NAMED_ROWS}`);
      const chance = expected < 0.5 ? '' : `; ${Math.round(expected)} could be chance`;
      findings.addRows('across-splits', severity, `rows that train or validate have the values of a test row, under another key${chance}`, named.map(({ name }) => name), copies);
    }
  }
  await duck.run('drop table copied');
}
