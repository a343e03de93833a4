import { z } from 'zod';
import { EraseBody, JobId, ModelParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import type { ErasureView } from '../../contract/erasure.js';
import type { Stores } from '../../stores/index.js';
import { findModel } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';

/** Recorded here and at once; the search for snapshots that hold the row is a workflow's, which gets no key. The same key again gives the first erasure, searched for again where that was not done. */
export const erase = defineRoute({
  method: 'POST', path: '/models/:model/erasures', summary: 'Erase a row: later snapshots are built without it', access: ['operator', 'admin'], params: ModelParams, body: EraseBody,
  async handle({ params: { model }, body, caller, services: { stores, workflows } }) {
    await findModel(stores, model);
    const { erasure, created } = await stores.erasures.request({ id: requestId(body.id), model, key: body.key, columns: [...new Set([...await keyColumns(stores, model), ...body.columns])].sort(), reason: body.reason, by: caller.principal });
    await stores.ledger.append({ chain: `${model}/runs`, eventId: `erasure/${erasure.id}`, actor: erasure.by, action: 'erasure-requested', subject: { erasure: erasure.id }, at: erasure.requestedAt });
    if (erasure.searchedAt === null) await workflows.startErasure({ model, id: erasure.id });
    return new Answer(202, { erasure: erasure.id, model, created });
  },
});

export const getErasure = defineRoute({
  method: 'GET', path: '/erasures/:erasure', summary: 'The snapshots that hold an erased row, and the versions trained on them', access: READERS, params: z.strictObject({ erasure: JobId }),
  async handle({ params: { erasure: id }, services: { stores, workflows } }) {
    const found = await stores.erasures.get(id);
    if (!found) throw new PerennialError('request/invalid', `erasure: there is no erasure ${id}`);
    const error = found.searchedAt === null ? await workflows.erasureFailure(found.model, id) : null;
    return { ...(await viewOf(stores, id)), error };
  },
});

export const listErasures = defineRoute({
  method: 'GET', path: '/models/:model/erasures', summary: 'Erasures of a model, newest first', access: READERS, params: ModelParams,
  async handle({ params: { model }, services: { stores } }) {
    await findModel(stores, model);
    const views: ErasureView[] = [];
    for (const { id } of await stores.erasures.listFor(model)) views.push(await viewOf(stores, id));
    return { erasures: views };
  },
});

/** Columns by which the sources of the model's present definition name their rows. */
async function keyColumns(stores: Stores, model: string): Promise<string[]> {
  const current = await stores.models.currentDefinition(model);
  return (current?.definition.data.sources ?? []).flatMap((source) => ('key' in source && typeof source.key === 'string' ? [source.key] : []));
}

async function viewOf(stores: Stores, id: string): Promise<ErasureView> {
  const erasure = await stores.erasures.get(id);
  if (!erasure) throw new PerennialError('request/invalid', `erasure: there is no erasure ${id}`);
  const snapshots = await stores.erasures.snapshotsOf(id);
  const marked = new Set(snapshots.map(({ snapshot }) => snapshot));
  const versions = (await stores.versions.list(erasure.model)).filter(({ snapshot }) => marked.has(snapshot));
  return { erasure, snapshots, versions: versions.map(({ version, status, snapshot }) => ({ version, status, snapshot })), predictions: await stores.erasedPredictions.count(id), frozen: await stores.frozen.revisedFor(id) };
}
