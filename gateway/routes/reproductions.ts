import { z } from 'zod';
import { JobId, ModelName, ReproduceBody, VersionNumber, VersionParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { findVersion } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';

export const reproduce = defineRoute({
  method: 'POST', path: '/models/:model/versions/:version/reproduce', summary: 'Build a version again from what is stored, and compare', access: ['auditor', 'scientist', 'operator'], params: VersionParams, body: ReproduceBody,
  async handle({ params: { model, version }, body, caller, services: { stores, workflows } }) {
    const { run } = await findVersion(stores, model, version);
    const imported = (await stores.runs.get(run))?.reason.imported;
    if (imported) throw new PerennialError('version/imported', `${model}@${version} was imported (${imported.format}), not trained here: there is no training to repeat. Its files are those of the import ${imported.files.sha256}`, { format: imported.format, digest: imported.files.sha256 });
    const id = requestId(body.id);
    await workflows.startReproduction({ model, version, id, by: caller.principal, tolerance: body.tolerance });
    return new Answer(202, { reproduction: id, model, version });
  },
});

/** `starting`: its first step has not written its row yet, or there is no such reproduction. With the version's name, one that was ended before that is found too. */
export const getReproduction = defineRoute({
  method: 'GET', path: '/reproductions/:reproduction', summary: 'How far a reproduction is, or what it found', access: READERS, params: z.strictObject({ reproduction: JobId }),
  query: z.strictObject({ model: ModelName.optional(), version: z.coerce.number().pipe(VersionNumber).optional() }),
  async handle({ params: { reproduction: id }, query, services: { stores, workflows } }) {
    const found = await stores.reproductions.get(id);
    const [model, version] = [found?.model ?? query.model, found?.version ?? query.version];
    const open = !found || found.status === 'running';
    const ended = open && model !== undefined && version !== undefined ? await workflows.reproductionFailure(model, version, id) : null;
    const error = found?.error ?? ended;
    if (!found) return { id, status: error ? 'failed' : 'starting', reproduction: null, error };
    const { rebuilt: _files, ...reproduction } = found;
    return { id, status: error ? 'failed' : found.status, reproduction, error };
  },
});
