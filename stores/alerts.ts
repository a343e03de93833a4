import { z } from 'zod';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** What a check found. `key` says what about: one finding a key is open at a time. `check`: what opened it. */
export const Finding = z.object({
  id: z.int(), model: z.string(), environment: z.string(), version: z.int().nullable(), key: z.string(), check: z.string(),
  severity: z.enum(['info', 'warn', 'critical']), message: z.string(), data: z.record(z.string(), z.unknown()), openedAt: At, closedAt: At.nullable(),
});
export type Finding = z.infer<typeof Finding>;
export type NewFinding = Omit<Finding, 'id' | 'openedAt' | 'closedAt'>;

const COLUMNS = 'id, model, environment, version, key, check_id as "check", severity, message, data, opened_at as "openedAt", closed_at as "closedAt"';

export function createAlertsStore(db: Database) {
  return {
    /**
     * Opens a finding unless one with its key is open; gives the open one's id either way. To alert once, also where a try died in between, enqueue
     * the mail whatever `opened` says, under an id made of the finding's: the outbox keeps it once.
     */
    async openFinding(f: NewFinding): Promise<{ id: number; check: string; opened: boolean }> {
      // The update changes nothing: it locks the open finding and gives its row. A row that was inserted has no xmax.
      const rows = await db.query<{ id: number; check: string; opened: boolean }>(
        `insert into findings as open (model, environment, version, key, check_id, severity, message, data) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (model, environment, key) where closed_at is null do update set key = open.key returning id, check_id as "check", xmax = 0 as opened`,
        [f.model, f.environment, f.version, f.key, f.check, f.severity, f.message, json(f.data)]);
      const row = rows[0];
      if (!row) throw new Error(`The finding ${f.key} of ${f.model} was neither opened nor found`);
      return row;
    },

    /** Returns whether one was open. */
    async closeFinding({ model, environment, key }: { model: string; environment: string; key: string }): Promise<boolean> {
      return (await db.query('update findings set closed_at = now() where model = $1 and environment = $2 and key = $3 and closed_at is null returning id', [model, environment, key])).length > 0;
    },

    /** Closes all that is open about a version that is well again, or no longer live. */
    async closeFindings({ model, environment, version }: { model: string; environment: string; version: number }): Promise<void> {
      await db.query('update findings set closed_at = now() where model = $1 and environment = $2 and version = $3 and closed_at is null', [model, environment, version]);
    },

    async getFinding(id: number): Promise<Finding | null> {
      return parseFirst(Finding, await db.query(`select ${COLUMNS} from findings where id = $1`, [id]));
    },

    /** Newest first. */
    async listFindings({ model, version, environment, open, limit = 100 }: { model?: string; version?: number; environment?: string; open?: boolean; limit?: number } = {}): Promise<Finding[]> {
      return parseRows(Finding, await db.query(
        `select ${COLUMNS} from findings where ($1::text is null or model = $1) and ($2::text is null or environment = $2) and ($3::boolean is null or (closed_at is null) = $3)
           and ($4::integer is null or version = $4)
         order by opened_at desc, id desc limit $5`,
        [model ?? null, environment ?? null, open ?? null, version ?? null, limit]));
    },
  };
}
export type AlertsStore = ReturnType<typeof createAlertsStore>;
