import type { z } from 'zod';
import type { TrainProgress } from '../contract/frames.js';
import { Ref } from '../contract/ref.js';
import { Reproduction } from '../contract/reproduction.js';
import type { ReproductionReport } from '../contract/reproduction.js';
import type { RunError } from '../contract/run.js';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** With what the second training made, where it is done. */
export const StoredReproduction = Reproduction.extend({ rebuilt: Ref.nullable(), startedAt: At, endedAt: At.nullable() });
export type StoredReproduction = z.infer<typeof StoredReproduction>;

const COLUMNS = 'id, model, version, by, tolerance, status, progress, rebuilt, report, error, started_at as "startedAt", ended_at as "endedAt"';

export function createReproductionsStore(db: Database) {
  return {
    /** A repeated call gives the first one. */
    async create({ id, model, version, by, tolerance }: Pick<Reproduction, 'id' | 'model' | 'version' | 'by' | 'tolerance'>): Promise<StoredReproduction> {
      await db.query('insert into reproductions (id, model, version, by, tolerance) values ($1, $2, $3, $4, $5) on conflict do nothing', [id, model, version, by, tolerance]);
      const [row] = await db.query(`select ${COLUMNS} from reproductions where id = $1`, [id]);
      return StoredReproduction.parse(row);
    },

    async get(id: string): Promise<StoredReproduction | null> {
      return parseFirst(StoredReproduction, await db.query(`select ${COLUMNS} from reproductions where id = $1`, [id]));
    },

    /** Newest first. */
    async listFor(model: string, version: number): Promise<StoredReproduction[]> {
      return parseRows(StoredReproduction, await db.query(`select ${COLUMNS} from reproductions where model = $1 and version = $2 order by started_at desc`, [model, version]));
    },

    async setProgress(id: string, progress: TrainProgress): Promise<void> {
      await db.query('update reproductions set progress = $2 where id = $1 and ended_at is null', [id, json(progress)]);
    },

    async setRebuilt(id: string, rebuilt: Ref): Promise<void> {
      await db.query('update reproductions set rebuilt = $2 where id = $1', [id, json(rebuilt)]);
    },

    /** The first end wins. */
    async finish(id: string, report: ReproductionReport): Promise<void> {
      await db.query('update reproductions set status = $2, report = $3, ended_at = now() where id = $1 and ended_at is null', [id, report.verdict, json(report)]);
    },

    async fail(id: string, error: RunError): Promise<void> {
      await db.query(`update reproductions set status = 'failed', error = $2, ended_at = now() where id = $1 and ended_at is null`, [id, json(error)]);
    },
  };
}
export type ReproductionsStore = ReturnType<typeof createReproductionsStore>;
