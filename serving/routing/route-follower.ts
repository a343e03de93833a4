import type { Route } from '../../contract/route.js';
import type { Database } from '../../stores/database.js';
import { ROUTES_CHANNEL, type RoutesStore } from '../../stores/routes.js';
import { watchTable } from '../watched-table.js';

export interface RouteFollowerOptions {
  readonly database: Pick<Database, 'listen'>;
  readonly routes: Pick<RoutesStore, 'allCurrent'>;
  readonly environment: string;
  readonly pollMs?: number;
  readonly onRoutes: (routes: readonly Route[]) => void;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface RouteFollower {
  /** True once the routes were read. */
  readonly synced: boolean;
  close(): Promise<void>;
}

/** Follows what the environment serves. */
export function createRouteFollower({ database, routes, environment, pollMs = 1_000, onRoutes, onProblem }: RouteFollowerOptions): RouteFollower {
  let synced = false;
  const table = watchTable({
    database, channel: ROUTES_CHANNEL, pollMs, name: 'routes', onProblem,
    concerns: (payload) => payload.startsWith(`${environment}/`),
    async read() {
      onRoutes(await routes.allCurrent(environment));
      synced = true;
    },
  });
  return {
    get synced() { return synced; },
    close: () => table.close(),
  };
}
