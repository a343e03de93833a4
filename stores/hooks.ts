import type { Database } from './database.js';

export interface HookRefusals { readonly repository: string | null; readonly reason: string; readonly count: number; readonly firstAt: string; readonly lastAt: string }

export function createHooksStore(db: Database) {
  return {
    /** False for a delivery that was recorded before: a replay. */
    async recordDelivery({ repository, delivery, commit }: { repository: string; delivery: string; commit: string }): Promise<boolean> {
      return (await db.query('insert into hook_deliveries (repository, delivery, commit) values ($1, $2, $3) on conflict do nothing returning delivery', [repository, delivery, commit])).length > 0;
    },

    /** Counts a refused hook; `repository` is null where the name is not a registered one, so that strangers cannot fill the table. */
    async refuse({ repository, reason }: { repository: string | null; reason: string }): Promise<void> {
      await db.query(
        `insert into hook_refusals as refused (repository, reason) values ($1, $2)
         on conflict (repository, reason) do update set count = refused.count + 1, last_at = now()`,
        [repository, reason]);
    },

    async refusals(): Promise<HookRefusals[]> {
      return db.query<HookRefusals>('select repository, reason, count, first_at as "firstAt", last_at as "lastAt" from hook_refusals order by last_at desc');
    },
  };
}
export type HooksStore = ReturnType<typeof createHooksStore>;
