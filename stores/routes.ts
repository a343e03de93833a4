import { z } from 'zod';
import { Route, type Arm } from '../contract/route.js';
import type { Database } from './database.js';
import { json, parseFirst, parseRows } from './values.js';

/** NOTIFY channel; the payload is `<environment>/<model>`. */
export const ROUTES_CHANNEL = 'routes';

export interface NewRoute {
  readonly environment: string; readonly model: string;
  /** The generation that this write replaces; 0 where nothing was routed yet. */
  readonly expected: number;
  readonly intent: string; readonly arms: readonly Arm[]; readonly keepWarmMs: number; readonly by: string; readonly reason: string;
}
export type RouteWrite = { ok: true; route: Route } | { ok: false; current: Route | null };

const StoredRoute = z.object(Route.shape);
const COLUMNS = `environment, model, generation, intent, arms, keep_warm_ms as "keepWarmMs", written_at as "writtenAt", written_by as "writtenBy", reason`;

export function createRoutesStore(db: Database) {
  async function current(environment: string, model: string, on: Database = db): Promise<Route | null> {
    return parseFirst(StoredRoute, await on.query(`select ${COLUMNS} from routes where environment = $1 and model = $2 order by generation desc limit 1`, [environment, model]));
  }

  return {
    current: (environment: string, model: string) => current(environment, model),

    /**
     * Compare-and-set: writes generation `expected + 1` if the current generation is `expected`, and notifies. Of writers who expect the same, one wins.
     * The same intent again gives its own row, even where newer ones came after it: look at its generation.
     */
    async write({ environment, model, expected, intent, arms, keepWarmMs, by, reason }: NewRoute): Promise<RouteWrite> {
      return db.transaction(async (tx) => {
        const written = parseFirst(StoredRoute, await tx.query(
          `insert into routes (environment, model, generation, intent, arms, keep_warm_ms, written_by, reason)
           select $1::text, $2::text, $3::integer + 1, $4, $5::jsonb, $6, $7, $8
           where $3::integer = 0 or exists (select 1 from routes where environment = $1::text and model = $2::text and generation = $3::integer)
           on conflict do nothing returning ${COLUMNS}`,
          [environment, model, expected, intent, json(arms), keepWarmMs, by, reason]));
        if (written) {
          const live = arms.filter((arm) => arm.role === 'live').sort((a, b) => b.share - a.share)[0]?.version ?? null;
          await tx.query(
            'insert into environment_models (environment, model, live_version) values ($1, $2, $3) on conflict (environment, model) do update set live_version = excluded.live_version',
            [environment, model, live]);
          await tx.query('select pg_notify($1, $2)', [ROUTES_CHANNEL, `${environment}/${model}`]);
          return { ok: true, route: written };
        }
        const own = parseFirst(StoredRoute, await tx.query(`select ${COLUMNS} from routes where environment = $1 and model = $2 and intent = $3`, [environment, model, intent]));
        return own ? { ok: true, route: own } : { ok: false, current: await current(environment, model, tx) };
      });
    },

    /** Newest first. */
    async history(environment: string, model: string, limit = 1_000): Promise<Route[]> {
      return parseRows(StoredRoute, await db.query(`select ${COLUMNS} from routes where environment = $1 and model = $2 order by generation desc limit $3`, [environment, model, limit]));
    },

    /** The current route of every model of an environment. */
    async allCurrent(environment: string): Promise<Route[]> {
      return parseRows(StoredRoute, await db.query(`select distinct on (model) ${COLUMNS} from routes where environment = $1 order by model, generation desc`, [environment]));
    },
  };
}
export type RoutesStore = ReturnType<typeof createRoutesStore>;
