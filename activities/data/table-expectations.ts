import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { PerennialError } from '../../contract/errors.js';
import { typedColumns } from '../../definition/columns.js';
import { columnsOf, referenceOf } from '../../definition/expectations.js';
import type { Expectation } from '../../definition/expectations.js';
import { columnOf } from './column-names.js';
import { duckMessage, identifier, literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import { evaluateExpectations } from './expectations/evaluate.js';
import { columnIn } from './expectations/relation.js';
import type { Relation, RelationColumn, RelationType } from './expectations/relation.js';
import { filesAt } from './listing.js';
import { openLocation, staysInside } from './location.js';
import { ORIGIN } from './reading.js';
import type { Table, TableContext } from './tables.js';

/** The rows as they were read: also those that later checks leave out. */
export function stagedRelation(data: Table): Relation {
  const columns = new Map<string, RelationColumn>([['key', { type: 'text', sql: 'key' }], [data.target.name, data.target.task === 'regression' ? { type: 'number', sql: readSql('number', 'try_cast(label as double)') } : { type: 'text', sql: 'label' }]]);
  typedColumns(data.columns).forEach(({ name, type }, index) => { columns.set(name, { type, sql: readSql(type, columnOf(index)) }); });
  return { from: 'staged', rowName: `coalesce(key || ' (' || ${ORIGIN} || ')', ${ORIGIN})`, columns };
}

/** The staged value in the column's own type; null also where it could not be read, of which other checks tell. */
function readSql(type: RelationType, staged: string): string {
  switch (type) {
    case 'number': return `(case when isfinite(${staged}) then ${staged} end)`;
    case 'text': return staged;
    case 'boolean': return `try_cast(${staged} as boolean)`;
    case 'time': return `try_cast(${staged} as timestamp)`;
  }
}

/** Judges the definition's expectations over the table `staged`; what they find goes to the findings. */
export async function checkExpectations(duck: Duck, context: TableContext): Promise<void> {
  const { data, findings } = context;
  const expectations = data.expectations ?? [];
  const [first] = await duck.rows<{ n: bigint }>('select count(*) as n from (select 1 from staged limit 1)');
  if (expectations.length === 0 || Number(first?.n ?? 0) === 0) return; // of no rows at all other findings tell
  const relation = stagedRelation(data);
  const foreign = await loadForeignKeys(duck, relation, context, expectations);
  const judged = expectations.filter((expectation) => referenceOf(expectation) === null || foreign.has(expectation));
  findings.addExpectations(await evaluateExpectations({ duck, relation, expectations: judged, foreign, now: Date.now() }));
}

const SQL_TYPES = { number: 'double', text: 'varchar', boolean: 'boolean', time: 'timestamp' } as const satisfies Record<RelationType, string>;

/** The values of other files that expectations ask for, each list a table. A list that cannot be read is a finding. */
async function loadForeignKeys(duck: Duck, relation: Relation, { deps, folder, findings, signal }: TableContext, expectations: readonly Expectation[]): Promise<Map<Expectation, string>> {
  const tables = new Map<Expectation, string>();
  for (const [index, expectation] of expectations.entries()) {
    const reference = referenceOf(expectation);
    if (!reference) continue;
    signal.throwIfAborted();
    const { location, path, other } = reference;
    const { severity } = expectation;
    const bound = staysInside(path) ? await deps.stores.locations.get(location) : null;
    const opened = bound ? openLocation(bound.uri, deps.artifacts) : null;
    const files = opened ? await filesAt(opened, path) : [];
    if (!opened || files.length === 0) {
      findings.add('missing-source', severity, `the list of an expectation is not there: ${bound ? `${bound.uri}/${path}` : `the location ${location} is not set, or ${path} leaves it`}`);
      continue;
    }
    const into = join(folder, `expectation-${index}`);
    await mkdir(into, { recursive: true });
    const local = await Promise.all(files.map(({ name }) => opened.local(name, into)));
    const table = `foreign_${index}`;
    try {
      // In the column's own type: a key that is a number is the same number, however it is written.
      const type = columnIn(relation, columnsOf(expectation)[0] ?? '').type;
      await duck.run(`create temp table ${identifier(table)} as select value, count(*) as n from (select try_cast(${identifier(other)} as ${SQL_TYPES[type]}) as value from read_parquet([${local.map(literal).join(', ')}], union_by_name = true)) where value is not null${type === 'number' ? ' and isfinite(value)' : ''} group by 1`);
      tables.set(expectation, table);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PerennialError) throw error;
      findings.add('unreadable', severity, `the list of an expectation cannot be read: ${duckMessage(error)}`, `${location}/${path}`);
    }
  }
  return tables;
}
