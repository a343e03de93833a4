import { z } from 'zod';
import type { Database } from './database.js';
import { At, json, parseRows } from './values.js';

export const OutboxKind = z.enum(['mail']);
/** `attempts` counts the tries so far, the present one included. */
export const OutboxMessage = z.object({
  id: z.string(), kind: OutboxKind, payload: z.record(z.string(), z.unknown()), attempts: z.int(), createdAt: At, nextAt: At, error: z.string().nullable(),
});
export type OutboxMessage = z.infer<typeof OutboxMessage>;

const COLUMNS = 'id, kind, payload, attempts, created_at as "createdAt", next_at as "nextAt", error';
const FIRST_DELAY_S = 1;
const LAST_DELAY_S = 600;

export function createOutboxStore(db: Database) {
  return {
    /** Kept once for each id, so that a retried activity sends one mail. Returns whether it was new. */
    async enqueue({ id, kind, payload }: { id: string; kind: z.infer<typeof OutboxKind>; payload: Readonly<Record<string, unknown>> }): Promise<boolean> {
      return (await db.query('insert into outbox (id, kind, payload) values ($1, $2, $3) on conflict do nothing returning id', [id, kind, json(payload)])).length > 0;
    },

    /** Takes up to `limit` due messages for `leaseMs`; what is not marked by then is due again. Two senders never take the same one. */
    async claim(limit: number, leaseMs: number): Promise<OutboxMessage[]> {
      const rows = await db.query(
        `with due as materialized (select id as due_id from outbox where sent_at is null and next_at <= now() order by next_at limit $1 for update skip locked)
         update outbox set next_at = now() + $2 * interval '1 millisecond', attempts = attempts + 1
         from due where id = due_id returning ${COLUMNS}`,
        [limit, leaseMs]);
      return parseRows(OutboxMessage, rows).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    },

    async sent(id: string): Promise<void> {
      await db.query('update outbox set sent_at = now(), error = null where id = $1 and sent_at is null', [id]);
    },

    /** Due again after 1 s, 2 s, 4 s … at most 10 minutes. */
    async failed(id: string, error: string): Promise<void> {
      await db.query(
        `update outbox set error = $2, next_at = now() + least($3 * 2 ^ least(greatest(attempts - 1, 0), 20), $4) * interval '1 second' where id = $1 and sent_at is null`,
        [id, error, FIRST_DELAY_S, LAST_DELAY_S]);
    },

    /** What was not sent yet, oldest first; at most 1,000. */
    async pending(): Promise<OutboxMessage[]> {
      return parseRows(OutboxMessage, await db.query(`select ${COLUMNS} from outbox where sent_at is null order by created_at limit 1000`));
    },
  };
}
export type OutboxStore = ReturnType<typeof createOutboxStore>;
