import { z } from 'zod';
import { KeptExplanation } from '../contract/explanation.js';
import { Guarded } from '../contract/guarded.js';
import type { Database } from './database.js';
import type { EventKind } from './enqueue-events.js';
import { Attributes, LatencyParts, PredictionOutputs } from './predictions.js';
import { COLUMNS, Refusal } from './refusals.js';
import { At, parseRows } from './values.js';

/** What of a prediction an event tells. `input`: of a table's row that is small enough, as it is kept. Of what guardrails found, and of an explanation, what is too large is left out (`…Fit`). */
const DuePrediction = z.object({
  kind: z.literal('prediction'), seq: z.int(), id: z.uuid(), requestId: z.string(), model: z.string(), version: z.int(), environment: z.string(), role: z.string(), generation: z.int(), replica: z.string(), at: At, caller: z.string().nullable(),
  input: z.instanceof(Uint8Array).nullable(), inputKept: z.string(), inputBytes: z.int(), inputDigest: z.string(), attributes: Attributes,
  outputs: PredictionOutputs.nullable(), outputsKept: z.string(), outputsFit: z.boolean(), latencyMs: z.number(), latencyParts: LatencyParts.nullable(), traceId: z.string().nullable(),
  guarded: Guarded.nullable(), guardedFits: z.boolean(), explanation: KeptExplanation.nullable(), explanationFits: z.boolean(),
});
const DueRefusal = Refusal.extend({ kind: z.literal('refusal'), seq: z.int() });
export const DueEvent = z.discriminatedUnion('kind', [DuePrediction, DueRefusal]);
export type DueEvent = z.infer<typeof DueEvent>;
export type GivenUp = 'expired' | 'refused' | 'removed';

/** Bytes of a row's input, of its outputs, of what guardrails found, and of its explanation, that an event carries at most. */
const LARGEST = 65_536;

/** Events on their way to a receiver. Several senders may take from the same queue: what one has in its hands the others leave until its lease is over. */
export function createPredictionEventsStore(db: Database) {
  async function count(on: Pick<Database, 'query'>, environment: string, reason: GivenUp, events: number): Promise<void> {
    if (events === 0) return;
    await on.query(
      `insert into prediction_events_given_up as present (environment, day, reason, events) values ($1, (now() at time zone 'UTC')::date, $2, $3)
       on conflict (environment, day, reason) do update set events = present.events + excluded.events`, [environment, reason, events]);
  }

  return {
    /** Takes up to `limit` events, oldest first, for `leaseMs`; `removed`: how many were of predictions, or refusals, that are no longer here, which are given up. */
    async claim(environment: string, { limit, leaseMs }: { limit: number; leaseMs: number }): Promise<{ events: DueEvent[]; removed: number }> {
      const claimed = await db.query<{ seq: number; at: string; kind: EventKind }>(
        `update prediction_events set claimed_until = clock_timestamp() + $3 * interval '1 millisecond'
         where seq in (select seq from prediction_events where environment = $1 and coalesce(claimed_until < clock_timestamp(), true) order by seq limit $2 for update skip locked) returning seq, at, kind`,
        [environment, limit, leaseMs]);
      if (claimed.length === 0) return { events: [], removed: 0 };
      const seqs = claimed.map(({ seq }) => seq);
      const ats = claimed.map(({ at }) => at).sort();
      // Times of rows are cut to milliseconds here, in PostgreSQL they are not.
      const within = 'at >= $2::timestamptz and at <= $3::timestamptz + interval \'1 millisecond\'';
      const of = (kind: EventKind, sql: string) => (claimed.some((one) => one.kind === kind) ? db.query(sql, [seqs, ats[0], ats.at(-1)]) : []);
      const refused = await of('refusal', `select 'refusal' as kind, e.seq, ${COLUMNS.split(', ').map((column) => `r.${column}`).join(', ')} from prediction_events e join (select * from refusals where ${within}) r on r.id = e.id and r.at = e.at where e.kind = 'refusal' and e.seq = any($1::bigint[])`);
      const predicted = await of('prediction',
        `select 'prediction' as kind, e.seq, p.id, p.request_id as "requestId", p.model, p.version, p.environment, p.role, p.generation, p.replica, p.at, p.caller,
           case when p.input_shape = '{}' and p.input_kept <> 'none' and octet_length(p.input) <= ${LARGEST} then p.input end as input, p.input_kept as "inputKept", octet_length(p.input) as "inputBytes", p.input_digest as "inputDigest",
           p.attributes, case when octet_length(p.outputs::text) <= ${LARGEST} then p.outputs end as outputs, p.outputs_kept as "outputsKept", coalesce(octet_length(p.outputs::text) <= ${LARGEST}, true) as "outputsFit",
           p.latency_ms as "latencyMs", p.latency_parts as "latencyParts", p.trace_id as "traceId",
           case when octet_length(p.guarded::text) > ${LARGEST} then p.guarded #- '{instead,own}' else p.guarded end as guarded, coalesce(octet_length(p.guarded::text) <= ${LARGEST}, true) as "guardedFits",
           case when octet_length(p.explanation::text) > ${LARGEST} then jsonb_set(p.explanation, '{attributions}', 'null') else p.explanation end as explanation, coalesce(octet_length(p.explanation::text) <= ${LARGEST}, true) as "explanationFits"
         from prediction_events e join (select * from predictions where ${within}) p on p.id = e.id and p.at = e.at where e.kind = 'prediction' and e.seq = any($1::bigint[])`);
      const events = parseRows(DueEvent, [...refused, ...predicted]).sort((a, b) => a.seq - b.seq);
      const found = new Set(events.map(({ seq }) => seq));
      const gone = seqs.filter((seq) => !found.has(seq));
      return { events, removed: await this.giveUp(environment, gone, 'removed') };
    },

    /** The receiver has them. */
    async sent(seqs: readonly number[]): Promise<void> {
      await db.query('delete from prediction_events where seq = any($1::bigint[])', [seqs]);
    },

    /** They are sent by whoever comes next. */
    async release(seqs: readonly number[]): Promise<void> {
      await db.query('update prediction_events set claimed_until = null where seq = any($1::bigint[])', [seqs]);
    },

    /** Removes events that cannot be sent, and counts them by the same step. */
    async giveUp(environment: string, seqs: readonly number[], reason: GivenUp): Promise<number> {
      if (seqs.length === 0) return 0;
      return db.transaction(async (tx) => {
        const gone = await tx.query('delete from prediction_events where environment = $1 and seq = any($2::bigint[]) returning seq', [environment, seqs]);
        await count(tx, environment, reason, gone.length);
        return gone.length;
      });
    },

    /** Gives up events that have waited for longer than `keepMs`. */
    async expire(environment: string, keepMs: number): Promise<number> {
      return db.transaction(async (tx) => {
        const [gone] = await tx.query<{ n: number }>(
          `with gone as (delete from prediction_events where environment = $1 and enqueued_at < now() - $2 * interval '1 millisecond' and coalesce(claimed_until < clock_timestamp(), true) returning 1) select count(*) as n from gone`, [environment, keepMs]);
        await count(tx, environment, 'expired', gone?.n ?? 0);
        return gone?.n ?? 0;
      });
    },

    /** How many wait, and since when the oldest does. */
    async waiting(environment: string): Promise<{ events: number; since: string | null }> {
      const [row] = await db.query<{ events: number; since: string | null }>('select count(*) as events, min(enqueued_at) as since from prediction_events where environment = $1', [environment]);
      return row ?? { events: 0, since: null };
    },

    /** Events that were given up, of all days. */
    async givenUp(environment: string): Promise<{ reason: GivenUp; events: number }[]> {
      return db.query('select reason, sum(events)::bigint as events from prediction_events_given_up where environment = $1 group by reason order by reason', [environment]);
    },
  };
}
export type PredictionEventsStore = ReturnType<typeof createPredictionEventsStore>;
