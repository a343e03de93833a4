import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Sha256 } from '../contract/ref.js';
import type { Database } from './database.js';
import { dayOf } from './prediction-partitions.js';
import { parseRows } from './values.js';

/** By what a row of an erasure is recognised: the salted hash of its key, which may be a prediction's id, or stand in one of `columns`. */
export const KeptErasure = z.object({ id: z.string(), model: z.string(), keyHash: Sha256, salt: z.string(), columns: z.array(z.string()) });
export type KeptErasure = z.infer<typeof KeptErasure>;
export interface FoundPrediction { readonly id: string; readonly at: string }

const NOTHING = createHash('sha256').digest('hex');

/** Erasures in the prediction log. */
export function createErasedPredictionsStore(db: Database) {
  async function note(on: Pick<Database, 'query'>, erasure: string, found: readonly FoundPrediction[], rewritten: boolean): Promise<void> {
    await on.query(
      `insert into erased_predictions (erasure, prediction_id, at, rewritten_at) select $1, id, at, case when $4 then now() end from unnest($2::uuid[], $3::timestamptz[]) as row(id, at)
       on conflict do nothing`, [erasure, found.map(({ id }) => id), found.map(({ at }) => at), rewritten]);
  }

  return {
    /** Erasures of one model, or of all. */
    async erasures(model: string | null): Promise<KeptErasure[]> {
      return parseRows(KeptErasure, await db.query(
        `select e.id, e.model, e.key_hash as "keyHash", s.salt, e.columns from erasures e join erasure_salts s on s.model = e.model where e.model = coalesce($1, e.model) order by e.requested_at, e.id`, [model]));
    },

    /** Takes inputs, outputs and attributes out of predictions, with the labels given for them; ids, times and the mark stay. A repeated call changes nothing. */
    async erase(erasure: string, found: readonly FoundPrediction[]): Promise<void> {
      if (found.length === 0) return;
      const ids = found.map(({ id }) => id);
      await db.transaction(async (tx) => {
        await note(tx, erasure, found, false);
        await tx.query(
          `update predictions p set input = ''::bytea, input_digest = $3, input_kept = 'none', outputs = null, outputs_kept = 'none', attributes = '{}'::jsonb, guarded = null, explanation = null, erased = $4
           from unnest($1::uuid[], $2::timestamptz[]) as row(id, at) where p.id = row.id and p.at = row.at and p.erased is null`, [ids, found.map(({ at }) => at), NOTHING, erasure]);
        await removeLabels(tx, ids);
      });
    },

    /** Notes predictions that are in S3 alone and are about to be erased there. */
    async noteRemoved(erasure: string, found: readonly FoundPrediction[]): Promise<void> {
      if (found.length === 0) return;
      await db.transaction(async (tx) => {
        await note(tx, erasure, found, true);
        await removeLabels(tx, found.map(({ id }) => id));
      });
    },

    /** Days in which predictions were erased whose file was not written again since. */
    async toRewrite(): Promise<string[]> {
      const rows = await db.query<{ at: string }>(`select distinct date_trunc('day', at at time zone 'UTC') at time zone 'UTC' as at from erased_predictions where rewritten_at is null order by at`);
      return rows.map(({ at }) => dayOf(at));
    },

    async rewritten(day: string): Promise<void> {
      await db.query(`update erased_predictions set rewritten_at = now() where rewritten_at is null and at >= $1::timestamptz and at < $1::timestamptz + interval '1 day'`, [`${day}T00:00:00Z`]);
    },

    /** How many predictions an erasure found. */
    async count(erasure: string): Promise<number> {
      const [row] = await db.query<{ n: number }>('select count(*) as n from erased_predictions where erasure = $1', [erasure]);
      return row?.n ?? 0;
    },
  };
}
export type ErasedPredictionsStore = ReturnType<typeof createErasedPredictionsStore>;

/** What a person's prediction should have been is the person's as well. A label of a whole request stays: it is of other rows, too. */
async function removeLabels(tx: Pick<Database, 'query'>, ids: readonly string[]): Promise<void> {
  await tx.query('delete from prediction_labels where prediction_id = any($1::uuid[])', [ids]);
  await tx.query('delete from labels where prediction_id = any($1::uuid[])', [ids]);
}
