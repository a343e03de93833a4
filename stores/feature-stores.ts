import { z } from 'zod';
import { Materialisation } from '../contract/feature-store.js';
import { Commit, Ref, Sha256 } from '../contract/ref.js';
import type { RunError } from '../contract/run.js';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** What is stored of a view's content; nothing yet where `manifest` is null. */
export const FeatureStore = z.object({ view: z.string(), digest: Sha256, generation: z.int(), manifest: Ref.nullable(), rows: z.int(), asOf: At.nullable() });
export type FeatureStore = z.infer<typeof FeatureStore>;

/** What a snapshot was joined with: content of a view as a commit describes it, and the materialisation that was the newest then. Null: noted before these were kept. */
export const FeatureUse = z.object({ view: z.string(), digest: Sha256, commit: Commit.nullable(), generation: z.int().nullable(), asOf: At.nullable() });
export type FeatureUse = z.infer<typeof FeatureUse>;

export interface Committed { readonly id: string; readonly view: string; readonly digest: string; readonly generation: number; readonly manifest: Ref; readonly rows: number; readonly asOf: string; readonly rowsRead: number; readonly rowsAdded: number }

const STORE = 'view, digest, generation, manifest, rows, as_of as "asOf"';
const USE = 'view, digest, commit, generation, as_of as "asOf"';
const MATERIALISATION = 'id, view, digest, as_of as "asOf", status, rows_read as "rowsRead", rows_added as "rowsAdded", error, started_at as "startedAt", ended_at as "endedAt"';

/** Which files hold a view's rows, and the materialisations that wrote them. */
export function createFeatureStoresStore(db: Database) {
  return {
    async get(view: string, digest: string): Promise<FeatureStore | null> {
      return parseFirst(FeatureStore, await db.query(`select ${STORE} from feature_stores where view = $1 and digest = $2`, [view, digest]));
    },

    /** Notes that a snapshot was joined with rows of these contents. Of a snapshot that comes out the same again, the first time counts. */
    async use(snapshot: string, views: readonly FeatureUse[]): Promise<void> {
      for (const { view, digest, commit, generation, asOf } of views) {
        await db.query('insert into feature_uses (snapshot, view, digest, commit, generation, as_of) values ($1, $2, $3, $4, $5, $6) on conflict do nothing', [snapshot, view, digest, commit, generation, asOf]);
      }
    },

    /** The views that a snapshot was joined with, by name. */
    async usesOf(snapshot: string): Promise<FeatureUse[]> {
      return parseRows(FeatureUse, await db.query(`select ${USE} from feature_uses where snapshot = $1 order by view, digest`, [snapshot]));
    },

    /** Snapshots, of whichever model, that were joined with this content of a view, the newest first. */
    async usersOf(view: string, digest: string): Promise<(FeatureUse & { readonly snapshot: string })[]> {
      return parseRows(FeatureUse.extend({ snapshot: Sha256 }), await db.query(
        `select u.snapshot, ${USE.replaceAll(/(^|, )/g, '$1u.')} from feature_uses u join snapshots s on s.digest = u.snapshot where u.view = $1 and u.digest = $2 order by s.created_at desc, u.snapshot`, [view, digest]));
    },

    /** Contents of a view that a version looks up which may be serving, or may come to: registered and not refused, or routed in the route in force or the one before it. */
    async inUse(view: string): Promise<string[]> {
      const rows = await db.query<{ digest: string }>(
        `select distinct u.digest from feature_uses u join versions v on v.snapshot = u.snapshot where u.view = $1 and (v.status in ('registered', 'tested', 'approved', 'live')
           or exists (select 1 from routes r, jsonb_array_elements(r.arms) arm where r.model = v.model and (arm ->> 'version')::integer = v.version
             and r.generation >= (select max(generation) - 1 from routes newest where newest.environment = r.environment and newest.model = r.model)))
         order by u.digest`, [view]);
      return rows.map(({ digest }) => digest);
    },

    /** Notes that a materialisation runs. Again with the same id: nothing changes. */
    async begin({ id, view, digest, asOf }: { id: string; view: string; digest: string; asOf: string }): Promise<FeatureStore> {
      await db.query('insert into feature_stores (view, digest) values ($1, $2) on conflict do nothing', [view, digest]);
      await db.query('insert into materialisations (id, view, digest, as_of) values ($1, $2, $3, $4) on conflict do nothing', [id, view, digest, asOf]);
      const store = parseFirst(FeatureStore, await db.query(`select ${STORE} from feature_stores where view = $1 and digest = $2`, [view, digest]));
      if (!store) throw new Error(`the feature store of ${view} is gone`);
      return store;
    },

    /** Makes these files those of the view, if the store still is of the generation that was read, and ends the materialisation, in one step. Returns whether it did. */
    async commit({ id, view, digest, generation, manifest, rows, asOf, rowsRead, rowsAdded }: Committed): Promise<boolean> {
      return db.transaction(async (tx) => {
        const changed = await tx.query('update feature_stores set generation = generation + 1, manifest = $4, rows = $5, as_of = $6 where view = $1 and digest = $2 and generation = $3 returning view', [view, digest, generation, json(manifest), rows, asOf]);
        if (changed.length === 0) return false;
        await tx.query(`update materialisations set status = 'done', rows_read = $4, rows_added = $5, error = null, ended_at = now() where view = $1 and id = $2 and digest = $3`, [view, id, digest, rowsRead, rowsAdded]);
        return true;
      });
    },

    /** Ends a materialisation that a later one has made needless: everything it would have read is stored. */
    async skip({ id, view, digest }: { id: string; view: string; digest: string }): Promise<void> {
      await db.query(`update materialisations set status = 'done', rows_read = 0, rows_added = 0, ended_at = now() where view = $1 and id = $2 and digest = $3 and status = 'running'`, [view, id, digest]);
    },

    /** What ran under this id and did not come to its end has failed. */
    async fail({ id, view, error }: { id: string; view: string; error: RunError }): Promise<void> {
      await db.query(`update materialisations set status = 'failed', error = $3, ended_at = now() where view = $1 and id = $2 and status = 'running'`, [view, id, json(error)]);
    },

    /** Of one run; several where it materialised several contents of the view. */
    async run(view: string, id: string): Promise<Materialisation[]> {
      return parseRows(Materialisation, await db.query(`select ${MATERIALISATION} from materialisations where view = $1 and id = $2 order by started_at, digest`, [view, id]));
    },

    /** The newest materialisation of a view's content, and the newest that failed since the last that did not. */
    async newest(view: string, digest: string): Promise<{ lastRun: Materialisation | null; lastFailure: Materialisation | null }> {
      const lastRun = parseFirst(Materialisation, await db.query(`select ${MATERIALISATION} from materialisations where view = $1 and digest = $2 order by started_at desc limit 1`, [view, digest]));
      const lastFailure = parseFirst(Materialisation, await db.query(
        `select ${MATERIALISATION} from materialisations m where view = $1 and digest = $2 and status = 'failed'
           and not exists (select 1 from materialisations later where later.view = m.view and later.digest = m.digest and later.status = 'done' and later.started_at > m.started_at)
         order by started_at desc limit 1`, [view, digest]));
      return { lastRun, lastFailure };
    },
  };
}
export type FeatureStoresStore = ReturnType<typeof createFeatureStoresStore>;
