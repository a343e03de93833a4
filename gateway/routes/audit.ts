import { z } from 'zod';
import { Label, ModelName, ModelParams, ServedAtQuery, VersionParams } from '../../contract/api/requests.js';
import { auditVersion } from '../audit.js';
import { findEnvironment, findModel } from '../find.js';
import { defineRoute, READERS } from '../http/route.js';

// `*` in place of a model: what is recorded of the environment itself, or of principals.
const Chain = z.strictObject({ model: z.union([ModelName, z.literal('*')]), environment: Label });

/** `nothing`: the replica held its lease and served no version of this model. `unknown`: nobody can tell, its lease had lapsed. */
export const servedAt = defineRoute({
  method: 'GET', path: '/models/:model/served-at', summary: 'What every replica served at an instant', access: READERS, params: ModelParams, query: ServedAtQuery,
  async handle({ params: { model }, query: { time, environment }, services: { stores } }) {
    await findModel(stores, model);
    await findEnvironment(stores, environment);
    const replicas = await stores.replicas.servedAt(environment, model, new Date(time).toISOString());
    const versions = [...new Set(replicas.flatMap((one) => one.version ?? []))].toSorted((a, b) => a - b);
    return { model, environment, time, versions, replicas };
  },
});

export const audit = defineRoute({
  method: 'GET', path: '/models/:model/versions/:version/audit', summary: 'Where a version comes from, who decided, and when it served', access: ['auditor'], params: VersionParams,
  async handle({ params, services }) {
    return auditVersion(services, params.model, params.version);
  },
});

export const listLedger = defineRoute({
  method: 'GET', path: '/ledger/:model/:environment', summary: 'Entries of the ledger', access: ['auditor'], params: Chain,
  query: z.strictObject({ after: z.coerce.number().pipe(z.int().min(0)).default(0) }),
  async handle({ params: { model, environment }, query, services: { stores } }) {
    if (model !== '*') await findModel(stores, model);
    return { chain: `${model}/${environment}`, entries: await stores.ledger.list(`${model}/${environment}`, query.after) };
  },
});

export const verifyLedger = defineRoute({
  method: 'GET', path: '/ledger/:model/:environment/verify', summary: 'Whether the chain of hashes is whole', access: ['auditor'], params: Chain,
  async handle({ params: { model, environment }, services: { stores } }) {
    if (model !== '*') await findModel(stores, model);
    const chain = `${model}/${environment}`;
    return { chain, ...(await stores.ledger.verify(chain)), head: await stores.ledger.head(chain) };
  },
});
