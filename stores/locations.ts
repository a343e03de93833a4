import type { Database } from './database.js';

/** A name that definitions use, bound to a folder (`file:///…` or a path) or an S3 prefix (`s3://…`). */
export interface Location { readonly name: string; readonly uri: string; readonly by: string; readonly at: string }
const COLUMNS = 'name, uri, set_by as by, set_at as at';

export function createLocationsStore(db: Database) {
  return {
    async set(name: string, uri: string, by: string): Promise<void> {
      await db.query(
        `insert into locations (name, uri, set_by) values ($1, $2, $3)
         on conflict (name) do update set uri = excluded.uri, set_by = excluded.set_by, set_at = now()`,
        [name, uri, by]);
    },
    async get(name: string): Promise<Location | null> {
      return (await db.query<Location>(`select ${COLUMNS} from locations where name = $1`, [name]))[0] ?? null;
    },
    async list(): Promise<Location[]> {
      return db.query<Location>(`select ${COLUMNS} from locations order by name`);
    },
  };
}
export type LocationsStore = ReturnType<typeof createLocationsStore>;
