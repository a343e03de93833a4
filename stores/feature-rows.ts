import { z } from 'zod';
import type { Database } from './database.js';
import { At, parseFirst, parseRows } from './values.js';

/** The newest row of an entity. `entity`: sha256 of its key; `cells`: JSON of the values, in the order of the view's columns; times as ISO 8601 to the microsecond. */
export interface NewestRow { readonly entity: string; readonly cells: string; readonly eventTime: string; readonly knownTime: string }

const FoundRow = z.object({ entity: z.string(), cells: z.string(), eventTime: At });
export type FoundRow = z.infer<typeof FoundRow>;
const Upkeep = z.object({ asOf: At.nullable(), freshness: z.string(), whenStale: z.enum(['refuse', 'null']) });
/** When a view was brought up to date, and what its definition in force says of that. */
export type Upkeep = z.infer<typeof Upkeep>;

/** The newest row of each entity of a view: what predictions look up. */
export function createFeatureRowsStore(db: Database) {
  return {
    /** Rows take the place of older ones; an older event never takes that of a newer one. Again with the same rows: nothing changes. */
    async upsert(view: string, digest: string, rows: readonly NewestRow[]): Promise<void> {
      await db.query(
        `insert into feature_rows as known (view, digest, entity, cells, event_time, known_time)
         select $1, $2, * from unnest($3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
         on conflict (view, digest, entity) do update set cells = excluded.cells, event_time = excluded.event_time, known_time = excluded.known_time, materialised_at = now()
         where (known.event_time, known.known_time) < (excluded.event_time, excluded.known_time) or ((known.event_time, known.known_time) = (excluded.event_time, excluded.known_time) and known.cells <> excluded.cells)`,
        [view, digest, rows.map(({ entity }) => entity), rows.map(({ cells }) => cells), rows.map(({ eventTime }) => eventTime), rows.map(({ knownTime }) => knownTime)]);
    },

    /** Of these entities, those whose newest event is not before `since`. */
    async find(view: string, digest: string, entities: readonly string[], since: string): Promise<FoundRow[]> {
      return parseRows(FoundRow, await db.query('select entity, cells, event_time as "eventTime" from feature_rows where view = $1 and digest = $2 and entity = any($3) and event_time >= $4', [view, digest, entities, since]));
    },

    async count(view: string, digest: string): Promise<number> {
      const [row] = await db.query<{ n: number }>('select count(*) as n from feature_rows where view = $1 and digest = $2', [view, digest]);
      return row?.n ?? 0;
    },

    /** Null where nothing is known of the view. */
    async upkeep(view: string, digest: string): Promise<Upkeep | null> {
      return parseFirst(Upkeep, await db.query(
        `select s.as_of as "asOf", d.definition ->> 'freshness' as freshness, d.definition ->> 'whenStale' as "whenStale"
         from feature_stores s join feature_views v on v.name = s.view join feature_view_definitions d on d.view = v.name and d.commit = v.current_commit
         where s.view = $1 and s.digest = $2`, [view, digest]));
    },
  };
}
export type FeatureRowsStore = ReturnType<typeof createFeatureRowsStore>;
