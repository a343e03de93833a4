import type { Route } from '../../contract/route.js';
import type { Database } from '../../stores/database.js';
import { ROUTES_CHANNEL, type RoutesStore } from '../../stores/routes.js';

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

/** Reads the environment's routes when they change (NOTIFY) and, since a notification can be lost, once a second. */
export function createRouteFollower({ database, routes, environment, pollMs = 1_000, onRoutes, onProblem }: RouteFollowerOptions): RouteFollower {
  let synced = false;
  let reading = false;
  let again = false;
  let closed = false;
  let away = false;

  async function read(): Promise<void> {
    again = true;
    if (reading) return;
    reading = true;
    try {
      while (again && !closed) {
        again = false;
        onRoutes(await routes.allCurrent(environment));
        synced = true;
        if (away) onProblem('routes are read again', undefined);
        away = false;
      }
    } catch (error) {
      if (!away) onProblem('routes cannot be read; the last good ones go on', error);
      away = true;
    } finally {
      reading = false;
    }
  }

  const listening = database.listen(ROUTES_CHANNEL, (payload) => {
    if (payload === '' || payload.startsWith(`${environment}/`)) void read();
  });
  listening.catch((error: unknown) => onProblem('route changes are not notified; they are polled', error));
  const timer = setInterval(() => void read(), pollMs);
  void read();

  return {
    get synced() { return synced; },
    async close() {
      closed = true;
      clearInterval(timer);
      try {
        await (await listening)();
      } catch (error) {
        onProblem('could not stop listening for routes', error);
      }
    },
  };
}
