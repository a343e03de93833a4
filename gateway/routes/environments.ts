import { z } from 'zod';
import { Label, LocationBody } from '../../contract/api/requests.js';
import { EnvironmentPolicy } from '../../contract/policy.js';
import { findEnvironment } from '../find.js';
import { requireIn } from '../http/caller.js';
import { defineRoute, READERS } from '../http/route.js';

const Named = z.strictObject({ name: Label });

export const listEnvironments = defineRoute({
  method: 'GET', path: '/environments', summary: 'Environments with their policy and routes', access: READERS,
  async handle({ services: { stores } }) {
    const environments = await stores.environments.list();
    return { environments: await Promise.all(environments.map(async (environment) => ({ ...environment, routes: await stores.routes.allCurrent(environment.name) }))) };
  },
});

export const putPolicy = defineRoute({
  method: 'PUT', path: '/environments/:name/policy', summary: 'Change an environment\'s policy', access: ['operator'], params: Named, body: EnvironmentPolicy,
  async handle({ params: { name }, body, caller, services: { stores } }) {
    await findEnvironment(stores, name);
    requireIn(caller, 'operator', name);
    await stores.environments.setPolicy(name, body, caller.principal);
    return { environment: await findEnvironment(stores, name) };
  },
});

export const listReplicas = defineRoute({
  method: 'GET', path: '/environments/:name/replicas', summary: 'Servers that hold a lease, and what they serve', access: READERS, params: Named,
  async handle({ params: { name }, services: { stores } }) {
    await findEnvironment(stores, name);
    return { environment: name, replicas: await stores.replicas.live(name) };
  },
});

export const listLocations = defineRoute({
  method: 'GET', path: '/locations', summary: 'Where the names of data sources point to', access: READERS,
  async handle({ services: { stores } }) {
    return { locations: await stores.locations.list() };
  },
});

export const getLocation = defineRoute({
  method: 'GET', path: '/locations/:name', summary: 'One location, or null where the name is not bound', access: READERS, params: Named,
  async handle({ params: { name }, services: { stores } }) {
    return { location: await stores.locations.get(name) };
  },
});

export const putLocation = defineRoute({
  method: 'PUT', path: '/locations/:name', summary: 'Bind a name to a folder or S3 prefix', access: ['operator'], params: Named, body: LocationBody,
  async handle({ params: { name }, body, caller, services: { stores } }) {
    await stores.locations.set(name, body.uri, caller.principal);
    return { location: await stores.locations.get(name) };
  },
});
