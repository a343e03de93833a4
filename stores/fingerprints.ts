import type { Database } from './database.js';

/** Which snapshot a model's sources gave when they last looked like this. */
export function createFingerprintsStore(db: Database) {
  return {
    async get(model: string, fingerprint: string): Promise<string | null> {
      const [row] = await db.query<{ digest: string }>('select digest from snapshot_fingerprints where model = $1 and fingerprint = $2', [model, fingerprint]);
      return row?.digest ?? null;
    },

    /** Sources that look the same and gave other rows: the newest build counts. */
    async save({ model, fingerprint, digest }: { model: string; fingerprint: string; digest: string }): Promise<void> {
      await db.query(
        `insert into snapshot_fingerprints (model, fingerprint, digest) values ($1, $2, $3)
         on conflict (model, fingerprint) do update set digest = excluded.digest, at = now()`,
        [model, fingerprint, digest]);
    },

    /**
     * Changes whenever a prediction of the environment gets a label, or another one. The sum is there because ids are given before
     * they are committed: a label may become visible after one with a larger id.
     */
    async labelledMark({ model, environment }: { model: string; environment: string }): Promise<string> {
      const [row] = await db.query<{ mark: string }>(
        `select concat_ws(':', count(*), coalesce(max(label_id), 0), coalesce(sum(label_id), 0)) as mark
         from prediction_labels where model = $1 and environment = $2`,
        [model, environment]);
      return row?.mark ?? '0';
    },
  };
}
export type FingerprintsStore = ReturnType<typeof createFingerprintsStore>;
