import { z } from 'zod';
import { KeptExplanation } from '../contract/explanation.js';
import { Guarded } from '../contract/guarded.js';
import type { Database } from './database.js';
import { enqueueEvents } from './enqueue-events.js';
import { lockLabels, settleLabels } from './label-join.js';
import { createLabelledStore } from './labelled.js';
import { createPartitionedWriter, dayOf } from './prediction-partitions.js';
import { spanOf } from './uuid7.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

/** `probabilities` in the order of the version's classes; of a regression the value. Where the policy lets the log keep less: the class, with its `probability`. */
export const PredictionOutputs = z.union([z.object({ class: z.string(), probabilities: z.array(z.number()) }), z.object({ value: z.number() }), z.object({ class: z.string(), probability: z.number().optional() })]);
export type PredictionOutputs = z.infer<typeof PredictionOutputs>;
export const Attributes = z.record(z.string(), z.string());

/** Milliseconds of a prediction's latency: until its rows were checked (with what feature views give), and until the model had answered (with the wait for a batch). */
export const LatencyParts = z.object({ prepareMs: z.number(), modelMs: z.number() });
export type LatencyParts = z.infer<typeof LatencyParts>;

/** One prediction. `input`: raw bytes as they came, or what of them the policy lets the log keep (`inputKept`), of shape `inputShape`; `rows`: how many rows they hold (1 unless told). `outputs` null where `status` is `error`, or the policy keeps none (`outputsKept`). */
export const Prediction = z.object({
  id: z.uuid(), requestId: z.string(), model: z.string(), version: z.int(), environment: z.string(), role: z.enum(['live', 'canary', 'shadow']), generation: z.int(), replica: z.string(),
  at: At, rows: z.int().default(1), input: z.instanceof<typeof Uint8Array<ArrayBufferLike>>(Uint8Array), inputShape: z.array(z.int()), inputDigest: z.string(),
  inputKept: z.enum(['whole', 'redacted', 'none']).default('whole'), attributes: Attributes,
  outputs: PredictionOutputs.nullable(), outputsKept: z.enum(['whole', 'reduced', 'none']).default('whole'), latencyMs: z.number(), latencyParts: LatencyParts.nullable().default(null), status: z.enum(['ok', 'error']), traceId: z.string().nullable().default(null),
  /** Who asked: `key:<name>` of an API key, or a principal; null where an earlier release logged it. */
  caller: z.string().nullable().default(null),
  guarded: Guarded.nullable().default(null),
  /** Where the caller asked for it. */
  explanation: KeptExplanation.nullable().default(null),
});
export type Prediction = z.infer<typeof Prediction>;
export type NewPrediction = z.input<typeof Prediction>;

/** Predictions that were answered and, by policy, not logged: there was no room. */
export const PredictionGap = z.object({ id: z.uuid(), model: z.string(), environment: z.string(), replica: z.string(), firstAt: At, lastAt: At, predictions: z.int() });
export type PredictionGap = z.infer<typeof PredictionGap>;

const COLUMNS = `id, request_id as "requestId", model, version, environment, role, generation, replica, at, rows, input, input_shape as "inputShape", input_digest as "inputDigest",
  input_kept as "inputKept", attributes, outputs, latency_ms as "latencyMs", latency_parts as "latencyParts", status, trace_id as "traceId", caller, outputs_kept as "outputsKept", guarded, explanation`;
const BATCH = 500;

export function createPredictionsStore(db: Database) {
  const written = createPartitionedWriter(db, 'predictions');

  async function insertBatch(rows: readonly NewPrediction[], events: boolean): Promise<number> {
    return db.transaction(async (tx) => {
      await lockLabels(tx, rows.map((row) => row.model), 'shared');
      const column = <T>(of: (row: NewPrediction) => T) => rows.map(of);
      // Shapes differ in length, which PostgreSQL's arrays of arrays cannot: they travel as JSON. Inputs travel as one value, which is sent as its bytes: an array of bytea would be text, two digits a byte.
      const lengths = column((r) => r.input.byteLength);
      let next = 1; // PostgreSQL counts from 1
      const starts = lengths.map((length) => (next += length) - length);
      const inserted = await tx.query<{ id: string }>(
        `insert into predictions (id, request_id, model, version, environment, role, generation, replica, at, rows, input, input_shape, input_digest, attributes, outputs, latency_ms, status, latency_parts, trace_id, input_kept, caller, outputs_kept, guarded, explanation)
         select id, request_id, model, version, environment, role, generation, replica, at, rows, substring($11::bytea from input_start for input_length),
           (select coalesce(array_agg(size::integer order by place), '{}') from jsonb_array_elements_text(input_shape) with ordinality as shape(size, place)),
           input_digest, attributes, outputs, latency_ms, status, latency_parts, trace_id, input_kept, caller, outputs_kept, guarded, explanation
         from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::timestamptz[], $10::integer[], $23::integer[], $24::integer[],
           $12::jsonb[], $13::text[], $14::jsonb[], $15::jsonb[], $16::float8[], $17::text[], $18::jsonb[], $19::text[], $20::text[], $21::text[], $22::text[], $25::jsonb[], $26::jsonb[])
           as row(id, request_id, model, version, environment, role, generation, replica, at, rows, input_start, input_length, input_shape, input_digest, attributes, outputs, latency_ms, status, latency_parts, trace_id, input_kept, caller, outputs_kept, guarded, explanation)
         on conflict do nothing returning id`,
        [column((r) => r.id), column((r) => r.requestId), column((r) => r.model), column((r) => r.version), column((r) => r.environment), column((r) => r.role), column((r) => r.generation),
          column((r) => r.replica), column((r) => r.at), column((r) => r.rows ?? 1), Buffer.concat(column((r) => r.input)), column((r) => json(r.inputShape)), column((r) => r.inputDigest),
          column((r) => json(r.attributes)), column((r) => jsonOrNull(r.outputs)), column((r) => r.latencyMs), column((r) => r.status), column((r) => jsonOrNull(r.latencyParts ?? null)),
          column((r) => r.traceId ?? null), column((r) => r.inputKept ?? 'whole'), column((r) => r.caller ?? null), column((r) => r.outputsKept ?? 'whole'), starts, lengths, column((r) => jsonOrNull(r.guarded ?? null)), column((r) => jsonOrNull(r.explanation ?? null))]);
      if (events && inserted.length > 0) await enqueueEvents(tx, 'prediction', rows, new Set(inserted.map(({ id }) => id)));
      if (inserted.length > 0) await settleLabels(tx, { ids: inserted.map((row) => row.id), from: `${rows.map(({ at }) => dayOf(at)).sort()[0] ?? '1970-01-01'}T00:00:00Z` });
      return inserted.length;
    });
  }

  return {
    ...createLabelledStore(db),

    /** Keeps predictions once for each (id, at), in batches of 500, and joins labels that came before them; with `events`, one of each is to be sent. Returns how many were new. */
    async insertMany(rows: readonly NewPrediction[], { events = false }: { events?: boolean } = {}): Promise<number> {
      let inserted = 0;
      for (let start = 0; start < rows.length; start += BATCH) {
        const batch = rows.slice(start, start + BATCH);
        inserted += await written(batch.map(({ at }) => at), () => insertBatch(batch, events));
      }
      return inserted;
    },

    /** Notes predictions that were answered and not logged; a note again changes nothing. */
    async noteGaps(gaps: readonly PredictionGap[]): Promise<void> {
      for (const gap of gaps) {
        await db.query(
          `insert into prediction_gaps (id, model, environment, replica, first_at, last_at, predictions) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
          [gap.id, gap.model, gap.environment, gap.replica, gap.firstAt, gap.lastAt, gap.predictions]);
      }
    },

    /** Predictions of a model that were answered and not logged, oldest first. */
    async gaps({ model, environment }: { model: string; environment: string }): Promise<PredictionGap[]> {
      return parseRows(PredictionGap, await db.query(
        `select id, model, environment, replica, first_at as "firstAt", last_at as "lastAt", predictions from prediction_gaps where model = $1 and environment = $2 order by first_at, id`,
        [model, environment]));
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
