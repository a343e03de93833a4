import { z } from 'zod';
import { ProfileRefs } from '../contract/data-profile.js';
import { PerennialError } from '../contract/errors.js';
import { Ref, Sha256 } from '../contract/ref.js';
import { DataReport, SnapshotManifest } from '../contract/snapshot.js';
import type { Database } from './database.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

export const Snapshot = z.object({
  digest: Sha256, model: z.string(), manifest: Ref, rows: z.int(), counts: SnapshotManifest.shape.counts, report: DataReport, blocked: z.boolean(), createdAt: At,
  /** Null of snapshots that were made before there were profiles. */
  profile: ProfileRefs.nullable(),
});
export type Snapshot = z.infer<typeof Snapshot>;

const COLUMNS = 'digest, model, manifest, rows, counts, report, blocked, created_at as "createdAt", profile';

/** Under this lock a snapshot is either saved before an erasure, and found by its search, or sees it. */
export function erasureLock(model: string): string {
  return `erasures/${model}`;
}

export function createSnapshotsStore(db: Database) {
  return {
    /**
     * The same rows again keep their digest; the newest report counts, since a definition may have relaxed its checks. `erasures`: how many
     * the model had when the build began. One that came since, and whose search may not see this snapshot, is `data/changed`.
     */
    async save(s: Omit<Snapshot, 'createdAt' | 'profile'> & Partial<Pick<Snapshot, 'profile'>>, erasures?: number): Promise<void> {
      await db.transaction(async (tx) => {
        await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [erasureLock(s.model)]);
        const [now] = await tx.query<{ n: string }>('select count(*)::text as n from erasures where model = $1', [s.model]);
        if (erasures !== undefined && Number(now?.n) !== erasures) throw new PerennialError('data/changed', `a row of ${s.model} was erased while its snapshot was built`);
        await tx.query(
          `insert into snapshots (digest, model, manifest, rows, counts, report, blocked, profile) values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (digest) do update set manifest = excluded.manifest, counts = excluded.counts, report = excluded.report, blocked = excluded.blocked, profile = coalesce(excluded.profile, snapshots.profile)`,
          [s.digest, s.model, json(s.manifest), s.rows, json(s.counts), json(s.report), s.blocked, jsonOrNull(s.profile ?? null)]);
      });
    },

    async get(digest: string): Promise<Snapshot | null> {
      return parseFirst(Snapshot, await db.query(`select ${COLUMNS} from snapshots where digest = $1`, [digest]));
    },

    /** Snapshots whose digest begins so; two at most, since one is meant. */
    async startingWith(prefix: string): Promise<Snapshot[]> {
      return parseRows(Snapshot, await db.query(`select ${COLUMNS} from snapshots where digest like $1 || '%' order by digest limit 2`, [prefix]));
    },

    /** The snapshot has no profile from now on. */
    async forgetProfile(digest: string): Promise<void> {
      await db.query('update snapshots set profile = null where digest = $1', [digest]);
    },

    /** Snapshots of all models that hold no erased row. */
    async *unmarked(): AsyncGenerator<Pick<Snapshot, 'digest' | 'manifest' | 'profile'>> {
      for (let after = ''; ;) {
        const page = parseRows(Snapshot.pick({ digest: true, manifest: true, profile: true }), await db.query(
          `select digest, manifest, profile from snapshots s where digest > $1 and not blocked and not exists (select 1 from erased_snapshots e where e.snapshot = s.digest) order by digest limit 1000`, [after]));
        yield* page;
        const last = page.at(-1);
        if (!last) return;
        after = last.digest;
      }
    },

    /** Newest first. */
    async listFor(model: string, limit = 100, since: string | null = null): Promise<Snapshot[]> {
      return parseRows(Snapshot, await db.query(`select ${COLUMNS} from snapshots where model = $1 and ($3::timestamptz is null or created_at >= $3) order by created_at desc limit $2`, [model, limit, since]));
    },
  };
}
export type SnapshotsStore = ReturnType<typeof createSnapshotsStore>;
