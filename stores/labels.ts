import { z } from 'zod';
import { PerennialError } from '../contract/errors.js';
import type { Database } from './database.js';
import { lockLabels, settleLabels } from './label-join.js';
import { createPredictionArchivesStore } from './prediction-archives.js';
import { dayOf } from './prediction-partitions.js';
import { spanOf, timeOf } from './uuid7.js';

/** The true class of a prediction, or of all predictions of a request: exactly one of the two ids is given, else the prediction's counts. `at`: when it was found out. */
export interface NewLabel { readonly predictionId: string | null; readonly requestId: string | null; readonly model: string; readonly label: string; readonly by: string; readonly at: string }
/** `unknown`: ids whose prediction is not here (yet); their labels are kept and count once it arrives. `removed`: ids whose day was removed from PostgreSQL; their labels are kept, and count for nothing here. `changed`: predictions that had another label before. */
export interface LabelsAdded { readonly accepted: number; readonly unknown: string[]; readonly removed: string[]; readonly changed: number }

const BATCH = 1_000;

/** Those of some unknown ids that were made on days which are no longer in PostgreSQL. Of a request's id the day cannot be told. */
async function ofRemovedDays(tx: Database, keys: readonly string[]): Promise<string[]> {
  const days = new Map(keys.flatMap((key) => { const at = timeOf(key); return at === null ? [] : [[key, dayOf(at)] as const]; }));
  if (days.size === 0) return [];
  const removed = new Set(await createPredictionArchivesStore(tx).removed('predictions', [...new Set(days.values())]));
  return [...days].flatMap(([key, day]) => (removed.has(day) ? [key] : []));
}

export function createLabelsStore(db: Database) {
  async function addBatch(batch: readonly NewLabel[]): Promise<LabelsAdded> {
    const byId = batch.map((label) => label.predictionId);
    const byRequest = batch.map((label) => (label.predictionId === null ? label.requestId : null));
    const models = batch.map((label) => label.model);
    return db.transaction(async (tx) => {
      await lockLabels(tx, models, 'exclusive');
      await tx.query(
        `insert into labels (model, prediction_id, request_id, label, by, at)
         select model, prediction_id, request_id, label, by, at
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[]) with ordinality as row(model, prediction_id, request_id, label, by, at, place)
         order by place on conflict do nothing`,
        [models, byId, byRequest, batch.map((label) => label.label), batch.map((label) => label.by), batch.map((label) => label.at)]);
      const span = spanOf(byId.filter((id) => id !== null));
      const found = await tx.query<{ key: string; id: string; at: string }>(
        `select id::text as key, id, at from predictions where (model, id) in (select * from unnest($1::text[], $2::uuid[]))
           and at between coalesce($4, '-infinity'::timestamptz) and coalesce($5, 'infinity'::timestamptz)
         union all
         select request_id as key, id, at from predictions where (model, request_id) in (select * from unnest($1::text[], $3::text[]))`,
        [models, byId, byRequest, span?.from ?? null, span?.to ?? null]);
      const known = new Set(found.map((row) => row.key));
      const unknown = new Set(batch.map((label) => (label.predictionId ?? label.requestId ?? '')).filter((key) => !known.has(key) && !known.has(key.toLowerCase())));
      const from = found.map((row) => row.at).sort()[0];
      const changed = from === undefined ? 0 : await settleLabels(tx, { ids: found.map((row) => row.id), from });
      const removed = await ofRemovedDays(tx, [...unknown]);
      return { accepted: batch.length, unknown: [...unknown].filter((key) => !removed.includes(key)), removed, changed };
    });
  }

  return {
    /** Keeps labels, once each; a later one is a new revision, and the newest by its `at` counts. Throws `request/invalid` naming a label without a usable id. */
    async add(labels: readonly NewLabel[]): Promise<LabelsAdded> {
      for (const [index, label] of labels.entries()) {
        if (label.predictionId === null ? !label.requestId : !z.uuid().safeParse(label.predictionId).success) {
          throw new PerennialError('request/invalid', `labels[${index}]: give the prediction's id (a UUID) or the request's id`, { index });
        }
      }
      const total = { accepted: 0, unknown: [] as string[], removed: [] as string[], changed: 0 };
      for (let start = 0; start < labels.length; start += BATCH) {
        const { accepted, unknown, removed, changed } = await addBatch(labels.slice(start, start + BATCH));
        total.accepted += accepted;
        total.unknown.push(...unknown);
        total.removed.push(...removed);
        total.changed += changed;
      }
      return total;
    },

    /** Versions of which a prediction of before `at` has a label by now, oldest first. */
    async labelledVersions({ model, environment, at }: { model: string; environment: string; at: string }): Promise<number[]> {
      const rows = await db.query<{ version: number }>(
        `select v.version from versions v where v.model = $1
           and exists (select 1 from prediction_labels l where l.model = $1 and l.environment = $2 and l.version = v.version and l.at <= $3) order by v.version`,
        [model, environment, at]);
      return rows.map(({ version }) => version);
    },

    /** Every revision of a prediction's label, newest first; the first one counts. */
    async revisions(model: string, predictionId: string): Promise<{ label: string; by: string; at: string }[]> {
      return db.query(
        `select l.label, l.by, l.at from labels l where l.model = $1
           and (l.prediction_id = $2 or l.request_id in (select p.request_id from predictions p where p.id = $2 and p.model = $1)) order by l.at desc, l.id desc`,
        [model, predictionId]);
    },
  };
}
export type LabelsStore = ReturnType<typeof createLabelsStore>;
