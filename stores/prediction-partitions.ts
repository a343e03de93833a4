import type { Database } from './database.js';

/** The UTC day of an instant, `YYYY-MM-DD`. */
export function dayOf(at: string): string {
  return new Date(at).toISOString().slice(0, 10);
}

/**
 * Makes the partition of a UTC day unless it is there. Attaching (unlike creating in place) lets others go on writing; the lock lets one of
 * several processes do it, and it is done or not done as a whole.
 */
export async function ensurePartition(db: Database, day: string): Promise<void> {
  const name = `predictions_${day.replaceAll('-', '')}`;
  // Read as rows: `to_regclass` answers from a session's cache, which an advisory lock does not refresh.
  const exists = async (on: Database) => (await on.query(`select 1 from pg_inherits join pg_class on oid = inhrelid where inhparent = 'predictions'::regclass and relname = $1`, [name])).length > 0;
  if (await exists(db)) return;
  const next = dayOf(new Date(Date.parse(day) + 86_400_000).toISOString());
  await db.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended('predictions/partitions', 0))");
    if (await exists(tx)) return;
    // Both are made of digits by `dayOf`: nothing of a caller's text stands in the statement.
    await tx.query(`create table ${name} (like predictions including defaults including constraints including storage)`);
    await tx.query(`alter table predictions attach partition ${name} for values from ('${day}T00:00:00Z') to ('${next}T00:00:00Z')`);
  });
}
