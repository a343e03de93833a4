import type { Database } from './database.js';

/** Leases on things of which there is one, such as the test environment. Times are the database's. */
export function createSlotsStore(db: Database) {
  return {
    /** True where the holder has the slot for `ttlMs` from now: it was free, had lapsed, or is its own already. */
    async acquire(name: string, holder: string, ttlMs: number): Promise<boolean> {
      const rows = await db.query(
        `insert into slots as held (name, holder, until) values ($1, $2, now() + $3 * interval '1 millisecond')
         on conflict (name) do update set holder = excluded.holder, until = excluded.until where held.holder = excluded.holder or held.until <= now() returning name`,
        [name, holder, ttlMs]);
      return rows.length > 0;
    },

    /** False where the slot is somebody else's by now: stop what needs it. */
    async renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
      return (await db.query(`update slots set until = now() + $3 * interval '1 millisecond' where name = $1 and holder = $2 returning name`, [name, holder, ttlMs])).length > 0;
    },

    async release(name: string, holder: string): Promise<void> {
      await db.query('delete from slots where name = $1 and holder = $2', [name, holder]);
    },

    /** Who has the slot now. */
    async holder(name: string): Promise<string | null> {
      const [row] = await db.query<{ holder: string }>('select holder from slots where name = $1 and until > now()', [name]);
      return row?.holder ?? null;
    },
  };
}
export type SlotsStore = ReturnType<typeof createSlotsStore>;
