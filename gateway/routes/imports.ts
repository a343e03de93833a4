import { ImportBody, ModelParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { IMPORT_LIMITS, type ImportedFiles } from '../../contract/imported.js';
import { impossibleVariants } from '../../domain/compressible.js';
import { findModel } from '../find.js';
import { Answer, defineRoute } from '../http/route.js';
import { requestId } from '../request-id.js';

/** Stored under its digest: sent again it changes nothing. Nothing refers to it until a model is imported with it. */
export const uploadFile = defineRoute({
  method: 'POST', path: '/imports/files', summary: 'A file of a network to import, as the body; the answer names it by its sha256', access: ['scientist'], bodyLimit: IMPORT_LIMITS.fileBytes,
  async handle({ request, services: { files } }) {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { sha256, bytes } = await files.putBlob(body);
    return new Answer(201, { sha256, bytes });
  },
});

export const importModel = defineRoute({
  method: 'POST', path: '/models/:model/import', summary: 'Ask the model\'s governor for a run that imports a network instead of training one', access: ['scientist'], params: ModelParams, body: ImportBody,
  async handle({ params: { model }, body, caller, services: { stores, artifacts, workflows } }) {
    await findModel(stores, model);
    const current = await stores.models.currentDefinition(model);
    const missing = (await Promise.all(body.files.map(async ({ path, sha256 }) => ((await artifacts.exists(keyOf(sha256))) ? [] : [path])))).flat();
    if (missing.length > 0) throw new PerennialError('request/invalid', `files: not uploaded yet: ${missing.slice(0, 5).join(', ')}`);
    const listing: ImportedFiles = { v: 1, files: body.files.map(({ path, sha256, bytes }) => ({ path, ref: artifacts.refOf(keyOf(sha256), { sha256, bytes }) })).sort((a, b) => (a.path < b.path ? -1 : 1)) };
    const files = await artifacts.putBlob(Buffer.from(JSON.stringify(listing)));
    const id = requestId(body.id);
    const cause = `import:${id}`;
    await workflows.train(model, { v: 1, id, cause, commit: null, reason: { kind: 'import', detail: body.reason, by: caller.principal, force: false, imported: { format: body.format, files } } });
    return new Answer(202, { model, requested: id, cause, format: body.format, digest: files.sha256, impossibleVariants: impossibleVariants(current?.definition.compression, body.format) });
  },
});

const keyOf = (sha256: string) => `blobs/${sha256}`;
