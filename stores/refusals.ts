import { z } from 'zod';
import { RowTrigger } from '../contract/guarded.js';
import type { Database } from './database.js';
import { enqueueEvents } from './enqueue-events.js';
import { createPartitionedWriter } from './prediction-partitions.js';
import { At, jsonOrNull, parseRows } from './values.js';

/**
 * A request of a known caller that was answered with an error. `version`, `role` and `generation` are null where no version was chosen yet,
 * `reason` where it might repeat a value that the policy keeps out of the log.
 */
export const Refusal = z.object({
  id: z.uuid(), requestId: z.string(), model: z.string(), version: z.int().nullable(), environment: z.string(), role: z.enum(['live', 'canary', 'shadow']).nullable(), generation: z.int().nullable(),
  replica: z.string(), at: At, status: z.int(), reason: z.string().nullable(), rows: z.int().nullable(), latencyMs: z.number(), traceId: z.string().nullable(),
  caller: z.string().nullable().default(null),
  guardrails: z.array(RowTrigger).nullable().default(null).describe('those that refused its rows'),
});
export type Refusal = z.infer<typeof Refusal>;
export type NewRefusal = z.input<typeof Refusal>;

const NAMES = 'id, request_id, model, version, environment, role, generation, replica, at, status, reason, rows, latency_ms, trace_id, caller, guardrails';
export const COLUMNS = 'id, request_id as "requestId", model, version, environment, role, generation, replica, at, status, reason, rows, latency_ms as "latencyMs", trace_id as "traceId", caller, guardrails';
const BATCH = 1_000;

export function createRefusalsStore(db: Database) {
  const written = createPartitionedWriter(db, 'refusals');

  return {
    /** Keeps refusals once for each (id, at), in batches; with `events`, one of each is to be sent. */
    async insertMany(rows: readonly NewRefusal[], { events = false }: { events?: boolean } = {}): Promise<void> {
      for (let start = 0; start < rows.length; start += BATCH) {
        const batch = rows.slice(start, start + BATCH);
        const column = <T>(of: (row: NewRefusal) => T) => batch.map(of);
        await written(batch.map(({ at }) => at), () => db.transaction(async (tx) => {
          const inserted = await tx.query<{ id: string }>(
            `insert into refusals (${NAMES})
             select ${NAMES} from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::timestamptz[], $10::integer[], $11::text[],
               $12::integer[], $13::float8[], $14::text[], $15::text[], $16::jsonb[]) as row(${NAMES})
             on conflict do nothing returning id`,
            [column((r) => r.id), column((r) => r.requestId), column((r) => r.model), column((r) => r.version), column((r) => r.environment), column((r) => r.role), column((r) => r.generation),
              column((r) => r.replica), column((r) => r.at), column((r) => r.status), column((r) => r.reason), column((r) => r.rows), column((r) => r.latencyMs), column((r) => r.traceId), column((r) => r.caller ?? null), column((r) => jsonOrNull(r.guardrails ?? null))]);
          if (events) await enqueueEvents(tx, 'refusal', batch, new Set(inserted.map(({ id }) => id)));
        }));
      }
    },

    /** All refusals of a caller's request id, oldest first. */
    async findByRequest(model: string, requestId: string): Promise<Refusal[]> {
      return parseRows(Refusal, await db.query(`select ${COLUMNS} from refusals where model = $1 and request_id = $2 order by at, id`, [model, requestId]));
    },

    /** How many there were of each status, with `from <= at < to`. */
    async countByStatus({ model, environment, from, to }: { model: string; environment: string; from?: string; to?: string }): Promise<{ status: number; n: number }[]> {
      return db.query(
        `select status, count(*) as n from refusals where model = $1 and environment = $2 and at >= coalesce($3, '-infinity'::timestamptz) and at < coalesce($4, 'infinity'::timestamptz)
         group by status order by status`,
        [model, environment, from ?? null, to ?? null]);
    },
  };
}
export type RefusalsStore = ReturnType<typeof createRefusalsStore>;
