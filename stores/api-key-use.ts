import { z } from 'zod';
import type { Database } from './database.js';
import { parseRows } from './values.js';

/** Predictions of a key that were given on a day (UTC, `2026-11-22`), and that were asked for a second lately, refused ones too. */
export const KeyUse = z.object({ name: z.string(), day: z.string(), used: z.int(), asked: z.number() });
export type KeyUse = z.infer<typeof KeyUse>;

const KEPT_DAYS = 35;
/** What a process asked for longer ago says nothing of now. */
const LATELY = '3 seconds';

/** How much of their limits keys used, by process. */
export function createApiKeyUseStore(db: Database) {
  return {
    /** Keeps what a process counted so far, and gives what the others did, of the same keys and days. Safe to repeat: a count only grows. */
    async tell(process: string, own: readonly KeyUse[]): Promise<KeyUse[]> {
      return parseRows(KeyUse, await db.query(
        `with own as (select t.name, t.day, t.used, t.asked from unnest($2::text[], $3::date[], $4::bigint[], $5::double precision[]) as t (name, day, used, asked) join api_keys k on k.name = t.name),
         told as (insert into api_key_use (process, name, day, used, asked) select $1, name, day, used, asked from own order by name, day
           on conflict (name, day, process) do update set used = greatest(api_key_use.used, excluded.used), asked = excluded.asked, told_at = now())
         select u.name, to_char(u.day, 'YYYY-MM-DD') as day, sum(u.used)::bigint as used, coalesce(sum(u.asked) filter (where u.told_at > now() - interval '${LATELY}'), 0) as asked
         from api_key_use u join own on own.name = u.name and own.day = u.day where u.process <> $1 group by u.name, u.day`,
        [process, own.map(({ name }) => name), own.map(({ day }) => day), own.map(({ used }) => used), own.map(({ asked }) => asked)]));
    },

    /** What an environment's keys used today. */
    async today(environment: string): Promise<KeyUse[]> {
      return parseRows(KeyUse, await db.query(
        `select u.name, to_char(u.day, 'YYYY-MM-DD') as day, sum(u.used)::bigint as used, 0 as asked
         from api_key_use u join api_keys k on k.name = u.name where k.environment = $1 and u.day = (now() at time zone 'UTC')::date group by u.name, u.day`, [environment]));
    },

    /** Lets go of days that are long over. */
    async forget(): Promise<void> {
      await db.query(`delete from api_key_use where day < (now() at time zone 'UTC')::date - ${KEPT_DAYS}`);
    },
  };
}
export type ApiKeyUseStore = ReturnType<typeof createApiKeyUseStore>;
