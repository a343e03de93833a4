import { z } from 'zod';
import { sqlState } from './database-errors.js';
import type { Database } from './database.js';
import { lockLabels, settleLabels } from './label-join.js';
import { createLabelledStore } from './labelled.js';
import { dayOf, ensurePartition } from './prediction-partitions.js';
import { spanOf } from './uuid7.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

/** `probabilities` in the order of the version's classes; of a regression the value. */
export const PredictionOutputs = z.union([z.object({ class: z.string(), probabilities: z.array(z.number()) }), z.object({ value: z.number() })]);
export type PredictionOutputs = z.infer<typeof PredictionOutputs>;
export const Attributes = z.record(z.string(), z.string());

/** One prediction. `input`: raw bytes as they came, of shape `inputShape`; `rows`: how many rows they hold (1 unless told). `outputs` null where `status` is `error`. */
export const Prediction = z.object({
  id: z.uuid(), requestId: z.string(), model: z.string(), version: z.int(), environment: z.string(), role: z.enum(['live', 'canary', 'shadow']), generation: z.int(), replica: z.string(),
  at: At, rows: z.int().default(1), input: z.instanceof(Uint8Array), inputShape: z.array(z.int()), inputDigest: z.string(), attributes: Attributes,
  outputs: PredictionOutputs.nullable(), latencyMs: z.number(), status: z.enum(['ok', 'error']),
});
export type Prediction = z.infer<typeof Prediction>;
export type NewPrediction = z.input<typeof Prediction>;

const COLUMNS = `id, request_id as "requestId", model, version, environment, role, generation, replica, at, rows, input, input_shape as "inputShape", input_digest as "inputDigest",
  attributes, outputs, latency_ms as "latencyMs", status`;
const NO_PARTITION = '23514';
const BATCH = 500;

export function createPredictionsStore(db: Database) {
  const days = new Set<string>();

  async function insertBatch(rows: readonly NewPrediction[]): Promise<number> {
    const wanted = new Set(rows.map((row) => dayOf(row.at)));
    for (const day of wanted) {
      if (days.has(day)) continue;
      await ensurePartition(db, day);
      days.add(day);
    }
    return db.transaction(async (tx) => {
      await lockLabels(tx, rows.map((row) => row.model), 'shared');
      const column = <T>(of: (row: NewPrediction) => T) => rows.map(of);
      // Shapes differ in length, which PostgreSQL's arrays of arrays cannot: they travel as JSON.
      const inserted = await tx.query<{ id: string }>(
        `insert into predictions (id, request_id, model, version, environment, role, generation, replica, at, rows, input, input_shape, input_digest, attributes, outputs, latency_ms, status)
         select id, request_id, model, version, environment, role, generation, replica, at, rows, input,
           (select coalesce(array_agg(size::integer order by place), '{}') from jsonb_array_elements_text(input_shape) with ordinality as shape(size, place)),
           input_digest, attributes, outputs, latency_ms, status
         from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::timestamptz[], $10::integer[], $11::bytea[],
           $12::jsonb[], $13::text[], $14::jsonb[], $15::jsonb[], $16::float8[], $17::text[])
           as row(id, request_id, model, version, environment, role, generation, replica, at, rows, input, input_shape, input_digest, attributes, outputs, latency_ms, status)
         on conflict do nothing returning id`,
        [column((r) => r.id), column((r) => r.requestId), column((r) => r.model), column((r) => r.version), column((r) => r.environment), column((r) => r.role), column((r) => r.generation),
          column((r) => r.replica), column((r) => r.at), column((r) => r.rows ?? 1), column((r) => r.input), column((r) => json(r.inputShape)), column((r) => r.inputDigest),
          column((r) => json(r.attributes)), column((r) => jsonOrNull(r.outputs)), column((r) => r.latencyMs), column((r) => r.status)]);
      if (inserted.length > 0) await settleLabels(tx, { ids: inserted.map((row) => row.id), from: `${[...wanted].sort()[0] ?? '1970-01-01'}T00:00:00Z` });
      return inserted.length;
    });
  }

  return {
    ...createLabelledStore(db),

    /** Keeps predictions once for each (id, at), in batches of 500, and joins labels that came before them. Returns how many were new. */
    async insertMany(rows: readonly NewPrediction[]): Promise<number> {
      let inserted = 0;
      for (let start = 0; start < rows.length; start += BATCH) {
        const batch = rows.slice(start, start + BATCH);
        try {
          inserted += await insertBatch(batch);
        } catch (error) {
          if (sqlState(error) !== NO_PARTITION || !batch.some((row) => days.has(dayOf(row.at)))) throw error;
          days.clear(); // a partition that was known was removed since: make it again, once
          inserted += await insertBatch(batch);
        }
      }
      return inserted;
    },

    async get(id: string): Promise<Prediction | null> {
      if (!z.uuid().safeParse(id).success) return null;
      const span = spanOf([id]);
      const near = span ? await db.query(`select ${COLUMNS} from predictions where id = $1 and at between $2 and $3`, [id, span.from, span.to]) : [];
      return parseFirst(Prediction, near.length > 0 ? near : await db.query(`select ${COLUMNS} from predictions where id = $1`, [id]));
    },

    /** All predictions of a caller's request id, oldest first. */
    async findByRequest(model: string, requestId: string): Promise<Prediction[]> {
      return parseRows(Prediction, await db.query(`select ${COLUMNS} from predictions where model = $1 and request_id = $2 order by at, id`, [model, requestId]));
    },

    /** Predictions with `from <= at < to`. */
    async count({ model, environment, from, to }: { model: string; environment: string; from?: string; to?: string }): Promise<number> {
      const [row] = await db.query<{ n: number }>(
        `select count(*) as n from predictions where model = $1 and environment = $2 and at >= coalesce($3, '-infinity'::timestamptz) and at < coalesce($4, 'infinity'::timestamptz)`,
        [model, environment, from ?? null, to ?? null]);
      return row?.n ?? 0;
    },
  };
}
export type PredictionsStore = ReturnType<typeof createPredictionsStore>;
