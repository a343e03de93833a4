import { z } from 'zod';
import { Evidence } from '../contract/evidence.js';
import { Ref, Sha256 } from '../contract/ref.js';
import type { Database } from './database.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

/** Evidence as sealed; `digest` is the sha256 of the canonical JSON of `sealed`. */
export const SealedEvidence = z.object({
  digest: Sha256, run: z.string(), model: z.string(), version: z.int(), environment: z.string(), liveVersion: z.int().nullable(), liveGeneration: z.int(),
  json: Ref, html: Ref.nullable(), deadline: At, sealed: Evidence, sealedAt: At,
});
export type SealedEvidence = z.infer<typeof SealedEvidence>;

const COLUMNS = `digest, run, model, version, environment, live_version as "liveVersion", live_generation as "liveGeneration", json, html, deadline, sealed, sealed_at as "sealedAt"`;

export function createEvidenceStore(db: Database) {
  return {
    /** Once for each digest. A run that is judged again has several; the newest is its current one. */
    async seal(e: Omit<SealedEvidence, 'sealedAt'>): Promise<void> {
      await db.query(
        `insert into evidence (digest, run, model, version, environment, live_version, live_generation, json, html, deadline, sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (digest) do nothing`,
        [e.digest, e.run, e.model, e.version, e.environment, e.liveVersion, e.liveGeneration, json(e.json), jsonOrNull(e.html), e.deadline, json(e.sealed)]);
    },

    async current(run: string): Promise<SealedEvidence | null> {
      return parseFirst(SealedEvidence, await db.query(`select ${COLUMNS} from evidence where run = $1 order by seq desc limit 1`, [run]));
    },

    async get(digest: string): Promise<SealedEvidence | null> {
      return parseFirst(SealedEvidence, await db.query(`select ${COLUMNS} from evidence where digest = $1`, [digest]));
    },

    /** All that was sealed for a run, oldest first. */
    async list(run: string): Promise<SealedEvidence[]> {
      return parseRows(SealedEvidence, await db.query(`select ${COLUMNS} from evidence where run = $1 order by seq`, [run]));
    },
  };
}
export type EvidenceStore = ReturnType<typeof createEvidenceStore>;
