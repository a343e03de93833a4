import { z } from 'zod';
import type { Database } from './database.js';
import { At, json, parseRows } from './values.js';

const Attributes = z.record(z.string(), z.string());
/** A prediction with the label that counts: `class` was predicted (null of a regression), `label` is true. */
export const LabelledPrediction = z.object({
  id: z.string(), requestId: z.string(), at: At, version: z.int(), input: z.instanceof(Uint8Array), inputShape: z.array(z.int()), attributes: Attributes, class: z.string().nullable(), label: z.string(),
});
export type LabelledPrediction = z.infer<typeof LabelledPrediction>;
/**
 * What the version itself said, also where a guardrail gave another answer (`replaced`). `probability`: the one given to the predicted class, where the log keeps it. A regression has a
 * `value` instead of both, null where it was no finite number; its label is the text of a number.
 */
export const LabelledOutcome = z.object({
  predictionId: z.string(), actual: z.string(), predicted: z.string().nullable(), probability: z.number().nullable(), value: z.number().nullable(), at: At, attributes: Attributes, replaced: z.boolean(),
});
export type LabelledOutcome = z.infer<typeof LabelledOutcome>;

const PAGE = 500;
/** Partitions are found by `at`. */
const ANSWERED = `prediction_labels l join predictions p on p.id = l.prediction_id and p.at = l.at and p.status = 'ok'`;
/** What the version itself said. */
const OWN = `case when p.guarded->'instead' is null then p.outputs else p.guarded->'instead'->'own' end`;
/** Only of these is there a class, or a value, to hold the label against. */
const JOIN = `${ANSWERED} and (${OWN}) is not null`;

/** Predictions whose label has arrived; part of the predictions store. */
export function createLabelledStore(db: Database) {
  return {
    /**
     * Labelled predictions of an environment whose inputs are kept whole, in order of (at, id), read in pages of 500. `attributes`: only those logged with these; `until`: only those
     * with `at <= until`.
     */
    async *labelled({ model, environment, attributes = {}, until }: { model: string; environment: string; attributes?: Readonly<Record<string, string>>; until?: string }): AsyncGenerator<LabelledPrediction, void, undefined> {
      let after: { cursor: string; id: string } = { cursor: '-infinity', id: '00000000-0000-0000-0000-000000000000' };
      for (;;) {
        // The cursor is PostgreSQL's own text of the time: an ISO string in milliseconds would repeat or skip rows of one millisecond.
        const rows = await db.query<{ cursor: string; id: string }>(
          `select l.at::text as cursor, p.id, p.request_id as "requestId", p.at, p.version, p.input, p.input_shape as "inputShape", p.attributes, p.outputs->>'class' as class, l.label
           from ${ANSWERED}
           where l.model = $1 and l.environment = $2 and p.input_kept = 'whole' and p.attributes @> $3::jsonb and l.at <= coalesce($4, 'infinity'::timestamptz)
             and (l.at, l.prediction_id) > ($5::timestamptz, $6::uuid)
           order by l.at, l.prediction_id limit ${PAGE}`,
          [model, environment, json(attributes), until ?? null, after.cursor, after.id]);
        yield* parseRows(LabelledPrediction, rows);
        const last = rows.at(-1);
        if (!last || rows.length < PAGE) return;
        after = last;
      }
    },

    /** How many predictions of a version have a label. */
    async countLabelled({ model, environment, version }: { model: string; environment: string; version: number }): Promise<number> {
      const [row] = await db.query<{ n: number }>(`select count(*) as n from ${JOIN} where l.model = $1 and l.environment = $2 and l.version = $3`, [model, environment, version]);
      return row?.n ?? 0;
    },

    /** How many predictions of a version have a label and nothing that it could be held against: the policy kept their answers out of the log. */
    async countUnjudged({ model, environment, version }: { model: string; environment: string; version: number }): Promise<number> {
      const [row] = await db.query<{ n: number }>(`select count(*) as n from ${ANSWERED} where l.model = $1 and l.environment = $2 and l.version = $3 and (${OWN}) is null`, [model, environment, version]);
      return row?.n ?? 0;
    },

    /** The newest labelled predictions of a version by the prediction's time, newest first, each with what the version itself said. */
    async newestLabelled({ model, environment, version, limit }: { model: string; environment: string; version: number; limit: number }): Promise<LabelledOutcome[]> {
      return parseRows(LabelledOutcome, await db.query(
        `select p.id as "predictionId", l.label as actual, own.answer->>'class' as predicted,
           coalesce((select max(value::float8) from jsonb_array_elements_text(own.answer->'probabilities')), (own.answer->>'probability')::float8) as probability, (own.answer->>'value')::float8 as value, p.at, p.attributes,
           p.guarded->'instead' is not null as replaced
         from ${JOIN} cross join lateral (select ${OWN} as answer) own
         where l.model = $1 and l.environment = $2 and l.version = $3 order by l.at desc, l.prediction_id desc limit $4`,
        [model, environment, version, limit]));
    },
  };
}
