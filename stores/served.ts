import { z } from 'zod';
import type { Database } from './database.js';
import { At, parseRows } from './values.js';

/**
 * `version`: the replica said that it served this one. `nothing`: its lease held and it said that it served nothing, or had not said anything.
 * `unknown`: its lease had lapsed; it may have gone on with its last good route.
 */
export const ServedAt = z.object({ replica: z.string(), state: z.enum(['version', 'nothing', 'unknown']), version: z.int().nullable(), generation: z.int().nullable() });
export type ServedAt = z.infer<typeof ServedAt>;
/** `until` null: it still does, as far as its lease says. */
export const ServedInterval = z.object({ replica: z.string(), environment: z.string(), generation: z.int(), from: At, until: At.nullable() });
export type ServedInterval = z.infer<typeof ServedInterval>;

/** A replica that fell silent and never came back is taken for dead after an hour. */
const SILENT_FOR = `interval '1 hour'`;

/** What was served when; part of the replicas store. */
export function createServedStore(db: Database) {
  return {
    /** Every replica that had a lease at the instant, or one before it that had lapsed without a goodbye. */
    async servedAt(environment: string, model: string, instant: string): Promise<ServedAt[]> {
      const rows = await db.query(
        `with latest as (
           select distinct on (replica) replica, since, until, released from lease_intervals
           where environment = $1 and since <= $3 order by replica, since desc, id desc),
         around as (
           select l.replica, l.until > $3 as held from latest l
           where l.until > $3
             or (not l.released and (l.until > $3::timestamptz - ${SILENT_FOR}
               or exists (select 1 from lease_intervals later where later.replica = l.replica and later.environment = $1 and later.since > $3))))
         select a.replica, s.version, s.generation,
           case when not a.held then 'unknown' when s.version is null then 'nothing' else 'version' end as state
         from around a left join lateral (
           select version, generation from serving_intervals
           where a.held and replica = a.replica and environment = $1 and model = $2 and since <= $3 and until > $3 order by id desc limit 1) s on true
         order by a.replica`,
        [environment, model, instant]);
      return parseRows(ServedAt, rows);
    },

    /** When and where a version served, oldest first. */
    async servedIntervals(model: string, version: number): Promise<ServedInterval[]> {
      return parseRows(ServedInterval, await db.query(
        `select replica, environment, generation, since as "from", case when closed or until <= now() then until end as until
         from serving_intervals where model = $1 and version = $2 order by since, id`,
        [model, version]));
    },
  };
}
