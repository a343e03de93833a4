import type { Database } from '../../stores/database.js';
import type { Stores } from '../../stores/index.js';
import type { ServingPolicies } from '../policies.js';
import type { OnProblem } from '../problem.js';
import type { Models } from './models.js';
import { recall } from './recall.js';
import { createRouteFollower } from './route-follower.js';

/** How long a start waits for PostgreSQL before it serves the last good routes. */
const FIRST_ROUTES_MS = 2_000;

export interface FollowRoutesOptions {
  readonly database: Pick<Database, 'listen'>;
  readonly stores: Pick<Stores, 'routes' | 'versions'>;
  readonly environment: string;
  readonly models: Models;
  readonly policies: Pick<ServingPolicies, 'learn'>;
  /** What else a start waits for, as long as it waits for the first routes. */
  readonly begun: Promise<void>;
  /** Called once what the first routes name is served, or cannot be; the start is over when it resolves. */
  readonly onSettled: () => Promise<void> | void;
  /** True once the server is told to stop. */
  readonly stopping: () => boolean;
  readonly onProblem: OnProblem;
}

/** Has models serve what the environment's routes say, from the first ones or the last good ones on. */
export function followRoutes({ database, stores, environment, models, policies, begun, onSettled, stopping, onProblem }: FollowRoutesOptions): { readonly settled: Promise<void>; close(): Promise<void> } {
  let firstRoutes: () => void = () => undefined;
  const routesSeen = new Promise<void>((seen) => { firstRoutes = seen; });
  let applying: Promise<unknown> = Promise.resolve();
  const follower = createRouteFollower({
    database, routes: stores.routes, environment, onProblem,
    onRoutes: (routes) => {
      // What may be logged is known before the first prediction; a route of a known model waits for nothing.
      applying = policies.learn(routes.map(({ model }) => model)).then(() => models.apply(routes));
      firstRoutes();
    },
  });
  const settled = (async () => {
    const timer = new Promise<void>((late) => setTimeout(late, FIRST_ROUTES_MS));
    await Promise.race([Promise.all([routesSeen, begun]), timer]);
    if (!follower.synced) await models.applyLastGood();
    await applying;
    await onSettled();
  })();
  void Promise.all([settled, routesSeen]).then(() => applying).then(() => recall({ environment, models, routes: stores.routes, versions: stores.versions, stopping, onProblem }));
  return { settled, close: () => follower.close() };
}
