import type { Database } from './database.js';

/**
 * A label and its prediction may arrive at the same moment, in two transactions that do not see each other. So whoever adds labels of a model
 * waits for those who add its predictions, and the other way round; predictions do not wait for each other.
 */
export async function lockLabels(tx: Database, models: readonly string[], mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  for (const model of [...new Set(models)].sort()) await tx.query(`select ${lock}(hashtextextended('labels/' || $1, 0))`, [model]);
}

/**
 * Writes down which label counts for these predictions: the newest by its time, then by arrival, given for the prediction or for its request.
 * @param from no prediction of `ids` is older than this instant
 * @returns how many predictions now have another label than they had
 */
export async function settleLabels(tx: Database, { ids, from }: { ids: readonly string[]; from: string }): Promise<number> {
  const [row] = await tx.query<{ changed: number }>(
    `with newest as (
       select p.id, p.at, p.model, p.environment, p.version, l.label, l.id as label_id
       from predictions p cross join lateral (
         select label, id, at from (
           (select label, id, at from labels where model = p.model and prediction_id = p.id order by at desc, id desc limit 1)
           union all
           (select label, id, at from labels where model = p.model and request_id = p.request_id order by at desc, id desc limit 1)
         ) either order by at desc, id desc limit 1) l
       where p.id = any($1::uuid[]) and p.at >= $2::timestamptz),
     before as (select prediction_id, label from prediction_labels where prediction_id = any($1::uuid[])),
     settled as (
       insert into prediction_labels as present (prediction_id, at, model, environment, version, label, label_id)
       select id, at, model, environment, version, label, label_id from newest
       on conflict (prediction_id) do update set label = excluded.label, label_id = excluded.label_id
       where present.label_id <> excluded.label_id
       returning prediction_id, label)
     select count(*) as changed from settled join before using (prediction_id) where settled.label <> before.label`,
    [ids, from]);
  return row?.changed ?? 0;
}
