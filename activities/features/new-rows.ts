import type { FeatureView } from '../../definition/feature-view.js';
import { literal } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { keysSql, valuesSql, workingColumns } from './columns.js';
import { timestamp } from './read-source.js';

/**
 * Makes the table `fresh` of the candidates that are not stored yet, and says since when each of them may have been known:
 * - where the view has a column `created`, since then, or the event time where that is later;
 * - a row that the last materialisation would have seen, had it been there, since this one: it came late;
 * - a row that is stored with other values, since this one: the source has corrected it;
 * - any other row, since its event time.
 *
 * @param stored files whose rows may be among the candidates
 * @param before when the source was read last; null: never
 * @returns how many there are
 */
export async function findNewRows(duck: Duck, view: FeatureView, { stored, before, asOf }: { stored: readonly string[]; before: string | null; asOf: string }): Promise<number> {
  const [keys, values] = [keysSql(view), valuesSql(view)];
  const known = stored.length === 0 ? `select ${keys}, event_time, stated_time, known_time, ${values} from (select *, null::timestamp as known_time from candidates) where false` : `select ${workingColumns(view)} from read_parquet([${stored.map(literal).join(', ')}])`;
  const same = [...view.entity.map((_, index) => `k.k${index} = c.k${index}`), 'k.event_time = c.event_time', 'k.stated_time is not distinct from c.stated_time'].join(' and ');
  const late = before === null ? 'false' : `c.event_time <= ${timestamp(before)}`;
  const first = view.created === undefined ? `case when ${late} then ${timestamp(asOf)} else c.event_time end` : 'greatest(c.event_time, c.stated_time)';
  await duck.run(`create or replace table fresh as
    with known as (select * from (${known}) qualify row_number() over (partition by ${keys}, event_time, stated_time order by known_time desc) = 1),
    candidate as (select distinct ${keys}, event_time, stated_time, ${values} from candidates)
    select c.*, case when k.event_time is null then ${first} else ${timestamp(asOf)} end as known_time
    from candidate c left join known k on ${same}
    where k.event_time is null or row(${valuesSql(view, 'k.')}) is distinct from row(${valuesSql(view, 'c.')})`);
  const [row] = await duck.rows<{ n: bigint }>('select count(*) as n from fresh');
  return Number(row?.n ?? 0);
}
