import { sqlState } from './database-errors.js';
import type { Database } from './database.js';

/** What is kept in partitions of a UTC day each, by its column `at`. */
export const LOGS = ['predictions', 'refusals'] as const;
export type ByDay = (typeof LOGS)[number];

/** The UTC day of an instant, `YYYY-MM-DD`. */
export function dayOf(at: string): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The partition of a day; made of digits only, so that it may stand in a statement. */
export const partitionOf = (table: ByDay, day: string): string => `${table}_${day.replaceAll('-', '')}`;

/** The day after, `YYYY-MM-DD`. */
export const dayAfter = (day: string): string => dayOf(new Date(Date.parse(day) + 86_400_000).toISOString());

/** Lock of everybody who makes or removes partitions. */
export const PARTITIONS_LOCK = "select pg_advisory_xact_lock(hashtextextended('predictions/partitions', 0))";

const NO_PARTITION = '23514';

/**
 * Makes the partition of a UTC day unless it is there. Attaching (unlike creating in place) lets others go on writing; the lock lets one of
 * several processes do it, and it is done or not done as a whole.
 */
export async function ensurePartition(db: Database, table: ByDay, day: string): Promise<void> {
  const name = partitionOf(table, day);
  // Read as rows: `to_regclass` answers from a session's cache, which an advisory lock does not refresh.
  const exists = async (on: Database) => (await on.query('select 1 from pg_inherits join pg_class on oid = inhrelid where inhparent = $1::regclass and relname = $2', [table, name])).length > 0;
  if (await exists(db)) return;
  await db.transaction(async (tx) => {
    await tx.query(PARTITIONS_LOCK);
    if (await exists(tx)) return;
    await tx.query(`create table ${name} (like ${table} including defaults including constraints including storage)`);
    await tx.query(`alter table ${table} attach partition ${name} for values from ('${day}T00:00:00Z') to ('${dayAfter(day)}T00:00:00Z')`);
  });
}

/** Writes rows of any days, whose partitions are made as they are needed. */
export function createPartitionedWriter(db: Database, table: ByDay) {
  const known = new Set<string>();
  return async <T>(ats: readonly string[], write: () => Promise<T>): Promise<T> => {
    const wanted = new Set(ats.map(dayOf));
    const ensure = async () => {
      for (const day of wanted) {
        if (known.has(day)) continue;
        await ensurePartition(db, table, day);
        known.add(day);
      }
    };
    const hoped = [...wanted].some((day) => known.has(day));
    try {
      await ensure();
      return await write();
    } catch (error) {
      if (!hoped || sqlState(error) !== NO_PARTITION) throw error;
      known.clear(); // a partition that was known was removed since: make it again, once
      await ensure();
      return write();
    }
  };
}
