import { z } from 'zod';
import { JobId, MaterialiseBody, ViewParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { FeatureManifest } from '../../contract/feature-store.js';
import type { FeatureViewState } from '../../contract/feature-store.js';
import { isStale } from '../../domain/feature-rows.js';
import type { StoredView } from '../../stores/feature-views.js';
import { readJson } from '../../stores/json-objects.js';
import { findFeatureView } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';
import type { Services } from '../services.js';

export const listFeatureViews = defineRoute({
  method: 'GET', path: '/features', summary: 'Feature views, and how up to date they are', access: READERS,
  async handle({ services }) {
    const views: FeatureViewState[] = [];
    for (const view of await services.stores.featureViews.list()) views.push(await stateOf(services, view));
    return { views };
  },
});

export const getFeatureView = defineRoute({
  method: 'GET', path: '/features/:view', summary: 'A feature view, and how up to date it is', access: READERS, params: ViewParams,
  handle: async ({ params: { view }, services }) => ({ view: await stateOf(services, await findFeatureView(services.stores, view)) }),
});

export const materialiseView = defineRoute({
  method: 'POST', path: '/features/:view/materialise', summary: 'Bring a feature view up to date now', access: ['scientist', 'operator'], params: ViewParams, body: MaterialiseBody,
  async handle({ params: { view }, body, services }) {
    await findFeatureView(services.stores, view);
    const id = requestId(body.id);
    await services.workflows.startMaterialisation({ view, id, full: body.full });
    return new Answer(202, { view, materialisation: id });
  },
});

/** `starting`: its first step has not written its row yet, or there is no such materialisation. */
export const getMaterialisation = defineRoute({
  method: 'GET', path: '/features/:view/materialisations/:id', summary: 'How far a materialisation is', access: READERS, params: z.strictObject({ view: ViewParams.shape.view, id: JobId }),
  async handle({ params: { view, id }, services: { stores, workflows } }) {
    const runs = await stores.featureStores.run(view, id);
    const open = runs.length === 0 || runs.some(({ status }) => status === 'running');
    // A materialisation notes its own end: Temporal is asked only whether its workflow was ended without a word.
    const ended = open ? await workflows.materialisationFailure(view, id).catch(nullWhereAway) : null;
    const error = runs.find((run) => run.error !== null)?.error ?? ended;
    return { id, status: error ? 'failed' : runs.length === 0 ? 'starting' : open ? 'running' : 'done', runs, error };
  },
});

function nullWhereAway(error: unknown): null {
  if (error instanceof PerennialError && error.code === 'temporal/unavailable') return null;
  throw error;
}

async function stateOf({ stores, artifacts }: Services, { view, repository, path, commit, digest, definition }: StoredView): Promise<FeatureViewState> {
  const { owner, purpose, entity, columns, schedule, freshness, ttl } = definition;
  const store = await stores.featureStores.get(view, digest);
  const manifest = store?.manifest ? FeatureManifest.parse(await readJson(artifacts, store.manifest)) : null;
  const asOf = store?.asOf ?? null;
  return {
    view, repository, path, owner, purpose, commit, digest, entity: entity.map(({ name }) => name), columns: columns.map((column) => (typeof column === 'string' ? column : column.name)), schedule, freshness, ttl,
    asOf, stale: isStale({ asOf, freshness }, Date.now()), rows: store?.rows ?? 0, entities: await stores.featureRows.count(view, digest), files: manifest?.files.length ?? 0,
    ...await stores.featureStores.newest(view, digest),
  };
}
