import type { FeatureView } from '../../definition/feature-view.js';
import { literal } from '../data/duckdb.js';
import { keysSql, valuesSql, workingColumns } from './columns.js';

/**
 * What was known of each key, and from when to when, as SQL: rows of key, `known_time`, `event_time` and values, each of which is the newest
 * that is known from its `known_time` until that of the next one. A row that became known after a newer one never was the newest,
 * and is left out, as PostgreSQL leaves it out.
 * @param since events before it are too old to count
 */
export function timelineSql(view: FeatureView, paths: readonly string[], since: string): string {
  const keys = keysSql(view);
  return `select ${keys}, known_time, event_time, ${valuesSql(view)} from (
    select *, max(event_time) over (partition by ${keys} order by known_time rows between unbounded preceding and 1 preceding) as newest_before from (
      select * from (select ${workingColumns(view)} from read_parquet([${paths.map(literal).join(', ')}])) where event_time >= ${since}
      qualify row_number() over (partition by ${keys}, known_time order by event_time desc, stated_time desc nulls last) = 1))
    where newest_before is null or event_time >= newest_before`;
}
