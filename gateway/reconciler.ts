import { BREAK_GLASS, completeBreakGlass } from './break-glass.js';
import type { Services } from './services.js';

const EVERY_MS = 10_000;

/**
 * Tells the environment's workflow of routes that were written past it, as soon as Temporal is back. What was told is remembered
 * only here: after a restart it is told again, under the same id, which the workflow handles once.
 */
export function createReconciler({ stores, workflows, log }: Pick<Services, 'stores' | 'workflows' | 'log'>, everyMs = EVERY_MS): { close(): Promise<void> } {
  const told = new Set<string>();
  let running: Promise<void> | undefined;

  const pass = async (): Promise<void> => {
    for (const { name } of await stores.environments.list()) {
      for (const route of await stores.routes.allCurrent(name)) {
        const id = `route-changed/${name}/${route.model}/${route.generation}`;
        if (!route.reason.startsWith(BREAK_GLASS) || told.has(id)) continue;
        await completeBreakGlass(stores, route);
        await workflows.tellEnvironment(route.model, name, 'routeChanged', { v: 1, id });
        told.add(id);
        log('the environment was told of a break-glass route', { model: route.model, environment: name, generation: route.generation });
      }
    }
  };

  const timer = setInterval(() => {
    running ??= pass()
      .catch((error: unknown) => { log('routes could not be reconciled yet', { error: String(error) }); })
      .finally(() => { running = undefined; });
  }, everyMs);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
