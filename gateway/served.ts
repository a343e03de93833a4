import type { Stores } from '../stores/index.js';

/**
 * What each environment that knows a model routes to, and what its replicas really serve. `settled`: every leased replica
 * serves the route's generation.
 */
export async function whereServed(stores: Stores, model: string) {
  const environments = await stores.environments.list();
  const all = await Promise.all(environments.map(async ({ name }) => {
    const [route, replicas, paused] = await Promise.all([stores.routes.current(name, model), stores.replicas.live(name), stores.environments.isPaused(name, model)]);
    const serving = replicas.map((replica) => {
      const here = replica.serving.find((one) => one.model === model);
      return { replica: replica.id, url: replica.url, leaseUntil: replica.leaseUntil, version: here?.version ?? null, generation: here?.generation ?? null };
    });
    const live = route?.arms.find((arm) => arm.role === 'live')?.version ?? null;
    return { environment: name, route, live, paused, replicas: serving, settled: route !== null && serving.every((one) => one.generation === route.generation) };
  }));
  return all.filter((one) => one.route !== null || one.paused);
}
