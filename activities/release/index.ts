import type { Route } from '../../contract/route.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { confirm, type Confirmation, type ConfirmRequest } from './confirm.js';

export type { Confirmation } from './confirm.js';

export interface RouteRequest {
  readonly environment: string; readonly model: string;
  /** The generation this write replaces; 0 where nothing was routed yet. */
  readonly expected: number;
  /** Unique: a retry with the same intent finds its own write. */
  readonly intent: string;
  /** null: nothing is served any more. */
  readonly version: number | null;
  readonly keepWarmMs: number; readonly by: string; readonly reason: string;
}
/** `generation` of a refused write is the one that is there (null: none). */
export type RouteWritten = { readonly ok: true; readonly generation: number } | { readonly ok: false; readonly generation: number | null };
export type ReleaseActivities = ReturnType<typeof createReleaseActivities>;

/** Changing what an environment serves, and reading back that it does. */
export function createReleaseActivities(deps: ActivityDeps) {
  const { routes } = deps.stores;
  return {
    /** Compare-and-set on the generation: a late retry never overwrites a newer route, and finds its own write by the intent. */
    async writeRoute({ version, ...request }: RouteRequest): Promise<RouteWritten> {
      const written = await routes.write({ ...request, arms: version === null ? [] : [{ version, role: 'live', share: 1 }] });
      return written.ok ? { ok: true, generation: written.route.generation } : { ok: false, generation: written.current?.generation ?? null };
    },

    /** Only reads: waits until every leased replica serves the generation, or one says that it cannot, or the time is up. */
    confirmRoute: (request: ConfirmRequest): Promise<Confirmation> => heartbeating((signal) => confirm(deps, request, signal)),

    /** Only reads. */
    currentRoute: ({ environment, model }: { environment: string; model: string }): Promise<Route | null> => routes.current(environment, model),
  };
}
