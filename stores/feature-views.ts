import { z } from 'zod';
import { PerennialError } from '../contract/errors.js';
import { Commit, Ref, Sha256 } from '../contract/ref.js';
import { FeatureView } from '../definition/feature-view.js';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** A feature view at a commit. `digest` is over what decides its rows. */
export const StoredView = z.object({ view: z.string(), repository: z.string(), commit: Commit, path: z.string(), digest: Sha256, definition: FeatureView, bundle: Ref, acceptedAt: At });
export type StoredView = z.infer<typeof StoredView>;

const DEFINITION = 'd.view, d.repository, d.commit, d.path, d.digest, d.definition, d.bundle, d.accepted_at as "acceptedAt"';

/** Feature views as repositories describe them. */
export function createFeatureViewsStore(db: Database) {
  return {
    /** Adds the view or brings its description up to date. A name belongs to the repository that used it first: `definition/invalid` for another one. */
    async ensure({ view: { name, owner, purpose }, repository, path }: { view: FeatureView; repository: string; path: string }): Promise<void> {
      const rows = await db.query(
        `insert into feature_views as known (name, repository, path, owner, purpose) values ($1, $2, $3, $4, $5)
         on conflict (name) do update set path = excluded.path, owner = excluded.owner, purpose = excluded.purpose
         where known.repository = excluded.repository returning name`,
        [name, repository, path, json(owner), purpose]);
      if (rows.length === 0) throw new PerennialError('definition/invalid', `name: the feature view ${name} belongs to another repository already; choose another name`, { view: name, repository });
    },

    /** Keeps the view at a commit; the first one stays. */
    async saveDefinition({ view, repository, commit, path, digest, definition, bundle }: Omit<StoredView, 'acceptedAt'>): Promise<void> {
      await db.query(
        `insert into feature_view_definitions (view, repository, commit, path, digest, definition, bundle) values ($1, $2, $3, $4, $5, $6, $7) on conflict (view, commit) do nothing`,
        [view, repository, commit, path, digest, json(definition), json(bundle)]);
    },

    async definition(view: string, commit: string): Promise<StoredView | null> {
      return parseFirst(StoredView, await db.query(`select ${DEFINITION} from feature_view_definitions d where d.view = $1 and d.commit = $2`, [view, commit]));
    },

    /** The newest description with this digest: its rows are described by any of them. */
    async definitionOf(view: string, digest: string): Promise<StoredView | null> {
      return parseFirst(StoredView, await db.query(`select ${DEFINITION} from feature_view_definitions d where d.view = $1 and d.digest = $2 order by d.seq desc limit 1`, [view, digest]));
    },

    /** The newest description of each content that the view ever had, the newest content first. */
    async contents(view: string): Promise<StoredView[]> {
      return parseRows(StoredView, await db.query(
        `select ${DEFINITION} from feature_view_definitions d where d.view = $1 and d.seq = (select max(same.seq) from feature_view_definitions same where same.view = d.view and same.digest = d.digest) order by d.seq desc`, [view]));
    },

    /** The view in force: the one that `setCurrent` named last. */
    async current(view: string): Promise<StoredView | null> {
      return parseFirst(StoredView, await db.query(`select ${DEFINITION} from feature_view_definitions d join feature_views v on v.name = d.view and v.current_commit = d.commit where v.name = $1`, [view]));
    },

    /** Names of a repository's views that are not in force: removed from it, or never accepted. */
    async ended(repository: string): Promise<string[]> {
      return (await db.query<{ name: string }>('select name from feature_views where repository = $1 and current_commit is null order by name', [repository])).map(({ name }) => name);
    },

    /** Models whose definition in force names the view, with the commit of that definition. */
    async namedBy(view: string): Promise<{ readonly model: string; readonly repository: string; readonly commit: string }[]> {
      return db.query(
        `select d.model, d.repository, d.commit from definitions d join models m on m.name = d.model and m.current_commit = d.commit
         where d.definition -> 'data' -> 'views' @> jsonb_build_array(jsonb_build_object('view', $1::text)) order by d.model`, [view]);
    },

    /** All views in force, by name. */
    async list(): Promise<StoredView[]> {
      return parseRows(StoredView, await db.query(`select ${DEFINITION} from feature_view_definitions d join feature_views v on v.name = d.view and v.current_commit = d.commit order by v.name`));
    },

    /** The view is in force no longer, unless another commit's is by now. Its rows stay. */
    async end(view: string, commit: string): Promise<void> {
      await db.query('update feature_views set current_commit = null where name = $1 and current_commit = $2', [view, commit]);
    },

    /** Puts a saved view into force in the place of the one at `instead` (null: of none). Returns false, and changes nothing, when another one is in force by now. */
    async setCurrent(view: string, commit: string, { instead }: { instead: string | null }): Promise<boolean> {
      const rows = await db.query('update feature_views set current_commit = $2 where name = $1 and current_commit is not distinct from $3 returning name', [view, commit, instead]);
      return rows.length > 0;
    },
  };
}
export type FeatureViewsStore = ReturnType<typeof createFeatureViewsStore>;
