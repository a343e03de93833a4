import type { Expectation, RowExpectation } from '../../../definition/expectations.js';
import type { DistributionExpectation } from './distribution.js';
import { columnIn } from './relation.js';
import type { Relation, RelationColumn } from './relation.js';
import { numberSql } from './row-rules.js';

/** Expectations on the rows as a whole. */
export type AggregateExpectation = Exclude<Expectation, RowExpectation | DistributionExpectation>;

/** SQL of one aggregate, null over no value: a number, but the milliseconds since 1970 of `fresh`, and the rows too many of `unique`. */
export function aggregateSql(expectation: AggregateExpectation, relation: Relation): string {
  switch (expectation.kind) {
    case 'row-count': return 'count(*)::double';
    case 'unique': return uniqueSql(expectation.columns.map((name) => columnIn(relation, name)));
    case 'fresh': return `epoch_ms(max(${columnIn(relation, expectation.column).sql}))::double`;
    case 'quantile': return `quantile_cont(${columnIn(relation, expectation.column).sql}, ${numberSql(expectation.at)})`;
    case 'statistic': return statisticSql(expectation.statistic, columnIn(relation, expectation.column).sql);
  }
}

function statisticSql(statistic: Extract<Expectation, { kind: 'statistic' }>['statistic'], sql: string): string {
  switch (statistic) {
    case 'mean': return `avg(${sql})`;
    case 'standard-deviation': return `stddev_samp(${sql})`;
    case 'median': return `quantile_cont(${sql}, 0.5)`;
    case 'minimum': return `min(${sql})`;
    case 'maximum': return `max(${sql})`;
    case 'sum': return `sum(${sql})`;
    case 'distinct': return `count(distinct ${sql})::double`;
    case 'distinct-share': return `count(distinct ${sql}) / nullif(count(${sql}), 0)::double`;
    case 'missing-share': return `(count(*) - count(${sql})) / nullif(count(*), 0)::double`;
  }
}

/** Rows that are the second, third, … of their values; rows with a missing value are not judged. */
function uniqueSql(columns: readonly RelationColumn[]): string {
  const [only] = columns;
  if (columns.length === 1 && only) return `(count(${only.sql}) - count(distinct ${only.sql}))::double`;
  const present = columns.map(({ sql }) => `${sql} is not null`).join(' and ');
  return `(count(*) filter (where ${present}) - count(distinct row(${columns.map(({ sql }) => sql).join(', ')})) filter (where ${present}))::double`;
}
