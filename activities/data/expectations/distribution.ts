import type { Expectation } from '../../../definition/expectations.js';
import { instantOfBound } from '../../../domain/cells.js';
import { nextBelow } from '../../../domain/expectations/next-below.js';
import { jensenShannon } from '../../../domain/profile/distances.js';
import { identifier, literal } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import { columnIn } from './relation.js';
import type { Relation, RelationColumn } from './relation.js';
import { numberSql } from './row-rules.js';

export type DistributionExpectation = Extract<Expectation, { kind: 'distribution' }>;

/** Values of a reference at which distribution functions are compared: of one with more of them, its quantiles, so that the distance is right to a thousandth. */
const POINTS = 1_000;
/** Categories of a reference. */
const CATEGORIES = 10_000;

/**
 * How far the values of a column lie from the expectation's reference; null where there are none on either side, and a text where it cannot be told. Each way takes one scan, and no more memory for more rows.
 * @param table of a reference that is in files: its values of the column's type, each once, as `value`, and how often it is there, as `n`
 */
export async function distanceOf(duck: Pick<Duck, 'rows'>, relation: Relation, { column: name, reference }: DistributionExpectation, table: string | undefined): Promise<number | string | null> {
  const column = columnIn(relation, name);
  if ('edges' in reference) return distanceOfBins(duck, relation, column, reference);
  if ('shares' in reference) return distanceOfCategories(duck, relation, column, new Map(Object.entries(reference.shares)));
  if (table === undefined) throw new RangeError(`the reference of ${name} is not there`);
  if (column.type === 'number' || column.type === 'time') return distanceOfFunctions(duck, relation, column, table);
  const categories = await categoriesOf(duck, table);
  return categories ? distanceOfCategories(duck, relation, column, categories) : `the reference has more than ${CATEGORIES} different values`;
}

/** As a number that is ordered as the values are. */
const quantitySql = (type: RelationColumn['type'], sql: string) => (type === 'time' ? `epoch_ms(${sql})::double` : sql);

/** How many values lie up to each of `bounds`, which ascend, and how many there are. */
async function countsUpTo(duck: Pick<Duck, 'rows'>, { from }: Relation, { type, sql }: RelationColumn, bounds: readonly number[]): Promise<{ upTo: readonly number[]; n: number }> {
  const value = quantitySql(type, sql);
  const [found] = await duck.rows<{ counts: string | null; n: bigint }>(`select to_json(map_values(histogram(${value}, [${bounds.map(numberSql).join(', ')}])))::varchar as counts, count(${value}) as n from ${from}`);
  let sum = 0;
  const counts = JSON.parse(found?.counts ?? '[]') as number[];
  return { upTo: bounds.map((_, index) => sum += counts[index] ?? 0), n: Number(found?.n ?? 0) };
}

/** Jensen-Shannon over bins from each edge up to the next, the last with its end; what lies beyond them is in two bins of its own, which the reference has not. */
async function distanceOfBins(duck: Pick<Duck, 'rows'>, relation: Relation, column: RelationColumn, { edges, shares }: { readonly edges: readonly (number | string)[]; readonly shares: readonly number[] }): Promise<number | null> {
  const values = edges.map((edge) => (typeof edge === 'number' ? edge : Date.parse(instantOfBound(edge) ?? edge)));
  const bounds = values.map((value, index) => (index === values.length - 1 ? value : nextBelow(value)));
  const { upTo, n } = await countsUpTo(duck, relation, column, bounds);
  if (n === 0) return null;
  const counts = [...upTo, n].map((count, index) => count - (upTo[index - 1] ?? 0));
  return jensenShannon(counts, [0, ...shares, 0]);
}

/** Kolmogorov-Smirnov: between two values of the reference its function stays, and the other one is farthest from it where it comes to the first or is about to come to the second. */
async function distanceOfFunctions(duck: Pick<Duck, 'rows'>, relation: Relation, column: RelationColumn, table: string): Promise<number | null> {
  const points = await duck.rows<{ value: number; share: number; own: number }>(
    `with counted as (select ${quantitySql(column.type, 'value')} as value, n, sum(n) over (order by value) as upto, sum(n) over () as total, count(*) over () as found from ${identifier(table)})
     select max(value) as value, max(upto / total)::double as share, arg_max(n / total, value)::double as own from counted
     group by case when found <= ${POINTS} then upto else ceil(upto * ${POINTS} / total) end order by value`);
  if (points.length === 0) return null;
  const { upTo, n } = await countsUpTo(duck, relation, column, points.flatMap(({ value }) => [nextBelow(value), value]));
  if (n === 0) return null;
  const distances = points.flatMap(({ share, own }, index) => [Math.abs((upTo[2 * index] ?? 0) / n - (share - own)), Math.abs((upTo[2 * index + 1] ?? 0) / n - share)]);
  return Math.max(...distances);
}

/** Null where there are too many. */
async function categoriesOf(duck: Pick<Duck, 'rows'>, table: string): Promise<Map<string, number> | null> {
  const rows = await duck.rows<{ value: string; n: bigint }>(`select value::varchar as value, n from ${identifier(table)} limit ${CATEGORIES + 1}`);
  return rows.length > CATEGORIES ? null : new Map(rows.map(({ value, n }) => [value, Number(n)]));
}

/** Jensen-Shannon of texts or booleans: all that the reference has not are as far from it together as each by itself. */
async function distanceOfCategories(duck: Pick<Duck, 'rows'>, { from }: Relation, { sql }: RelationColumn, reference: ReadonlyMap<string, number>): Promise<number | null> {
  const text = `${sql}::varchar`;
  const rows = await duck.rows<{ value: string | null; n: bigint }>(`select case when ${text} in (${[...reference.keys()].map(literal).join(', ')}) then ${text} end as value, count(*) as n from ${from} where ${sql} is not null group by 1`);
  if (rows.length === 0 || reference.size === 0) return null;
  const counts = new Map(rows.map(({ value, n }) => [value, Number(n)]));
  return jensenShannon([...[...reference.keys()].map((value) => counts.get(value) ?? 0), counts.get(null) ?? 0], [...reference.values(), 0]);
}
