import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Expectation } from '../../definition/expectations.js';
import { Expectation as Schema } from '../../definition/expectations.js';

export const ROWS = 1_000_000;
const NUMBERS = Array.from({ length: 18 }, (_, index) => `n${index}`);
const CITIES = ['Graz', 'Wien', 'Linz', 'Salzburg', 'Innsbruck'];

/** The columns, besides `id` and `label`. */
export const COLUMNS = [...NUMBERS, { name: 'city', type: 'text' as const, nullable: false }, { name: 'code', type: 'text' as const, nullable: false }];

/** A million rows of 18 numbers and two texts, as one Parquet file; gives its path. */
export async function writeRows(folder: string): Promise<string> {
  const file = join(folder, 'rows.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const numbers = NUMBERS.map((name, index) => `((i * ${48_271 * (index + 1)}) % 1000003)::double / 7 as ${name}`);
  await connection.run(`copy (select 'row-' || i as id, case when i % 3 = 0 then 'leaves' else 'stays' end as label, ${numbers.join(', ')},
    [${CITIES.map((city) => `'${city}'`).join(', ')}][1 + i % ${CITIES.length}] as city, 'AB-' || lpad((i % 9999)::varchar, 4, '0') as code from range(${ROWS}) r(i)) to '${file}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
  return file;
}

/** An expectation, and the same one as Great Expectations calls it. */
interface Both { readonly ours: Expectation; readonly theirs: { readonly type: string; readonly arguments: Readonly<Record<string, unknown>> } }

/** 58: of every column that nothing is missing; of numbers range and mean; of texts a set and a pattern. All hold. */
export function expectations(): Both[] {
  const both = (ours: unknown, type: string, more: Record<string, unknown>): Both => ({ ours: Schema.parse(ours), theirs: { type, arguments: more } });
  const present = (column: string) => both({ kind: 'not-null', column }, 'ExpectColumnValuesToNotBeNull', { column });
  return [
    ...NUMBERS.flatMap((column) => [
      present(column),
      both({ kind: 'between', column, min: 0, max: 150_000 }, 'ExpectColumnValuesToBeBetween', { column, min_value: 0, max_value: 150_000 }),
      both({ kind: 'statistic', column, statistic: 'mean', min: 60_000, max: 80_000 }, 'ExpectColumnMeanToBeBetween', { column, min_value: 60_000, max_value: 80_000 }),
    ]),
    present('city'), both({ kind: 'in-set', column: 'city', values: CITIES }, 'ExpectColumnValuesToBeInSet', { column: 'city', value_set: CITIES }),
    present('code'), both({ kind: 'matches', column: 'code', pattern: '^[A-Z]{2}-[0-9]{4}$' }, 'ExpectColumnValuesToMatchRegex', { column: 'code', regex: '^[A-Z]{2}-[0-9]{4}$' }),
  ];
}
