import { typedColumns } from '../../../definition/columns.js';
import { literal } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import { columnOf } from '../column-names.js';
import type { TableContext } from '../tables.js';
import { CANDIDATE, PersonalCounts } from '../../../runtime/personal/kinds.js';
import { columnsWithNames } from './scan-names.js';

/** Of a long text, so much is looked at. */
const CHARACTERS = 10_000;

/**
 * Looks through the texts of `staged`, and the keys, for personal data, before anything of them is stored: what is found is reported by
 * column, kind and count, never by its value. Only texts that hold something like it leave DuckDB, and of each column a sample in which names are looked for.
 */
export async function scanPersonalData(duck: Duck, { data, findings, signal }: Pick<TableContext, 'data' | 'findings' | 'signal'>): Promise<void> {
  const { personalData } = data;
  if (!personalData) return;
  const texts = typedColumns(data.columns).flatMap(({ name, type }, index) => (type === 'text' ? [{ name, sql: columnOf(index) }] : []));
  const columns = [{ name: 'key', sql: 'key' }, ...texts].filter((column) => !personalData.allow.includes(column.name) && personalData.columns?.[column.name] === undefined);
  const seems = (column: string, what: string, values: number) => { findings.add('personal-data', personalData.policy, `the column ${column} seems to hold personal data: ${what}`, undefined, values); };
  for (const { name, sql } of columns) {
    const counts = new PersonalCounts();
    const result = await duck.connection.stream(`select left(${sql}, ${CHARACTERS}) from staged where regexp_matches(left(${sql}, ${CHARACTERS}), ${literal(CANDIDATE)})`);
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      signal.throwIfAborted();
      const vector = chunk.getColumnVector(0);
      for (let row = 0; row < chunk.rowCount; row += 1) counts.add(String(vector.getItem(row)));
    }
    for (const { kind, values } of counts.found()) seems(name, kind, values);
  }
  for await (const { column, kind, found, texts: looked } of columnsWithNames(duck, columns, signal)) seems(column, `${kind}, in ${found} of ${looked} texts looked at`, found);
}
