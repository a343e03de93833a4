import { ModelParams, VersionParams } from '../../contract/api/requests.js';
import { findModel, findVersion } from '../find.js';
import { defineRoute, READERS } from '../http/route.js';
import { whereServed } from '../served.js';

export const listModels = defineRoute({
  method: 'GET', path: '/models', summary: 'Models, with what serves of each', access: READERS,
  async handle({ services: { stores } }) {
    const models = await stores.models.list();
    return { models: await Promise.all(models.map(async (model) => ({
      ...model,
      serves: (await whereServed(stores, model.name)).map(({ environment, live, paused }) => ({ environment, version: live, paused })),
      open: (await stores.runs.open(model.name)).map((run) => ({ run: run.id, step: run.step, status: run.status })),
      findings: (await stores.alerts.listFindings({ model: model.name, open: true })).length,
    }))) };
  },
});

export const getModel = defineRoute({
  method: 'GET', path: '/models/:model', summary: 'A model: its present definition, what serves, what runs', access: READERS, params: ModelParams,
  async handle({ params, services: { stores } }) {
    const model = await findModel(stores, params.model);
    const definition = await stores.models.currentDefinition(model.name);
    return {
      model,
      definition: definition && { commit: definition.commit, path: definition.path, trainingDigest: definition.trainingDigest, policyDigest: definition.policyDigest, definition: definition.definition },
      environments: await whereServed(stores, model.name),
      open: await stores.runs.open(model.name),
      runs: await stores.runs.list({ model: model.name, limit: 10 }),
      findings: await stores.alerts.listFindings({ model: model.name, open: true }),
    };
  },
});

export const listVersions = defineRoute({
  method: 'GET', path: '/models/:model/versions', summary: 'Registered versions, newest first', access: READERS, params: ModelParams,
  async handle({ params, services: { stores } }) {
    await findModel(stores, params.model);
    return { versions: (await stores.versions.list(params.model)).toSorted((a, b) => b.version - a.version) };
  },
});

export const getVersion = defineRoute({
  method: 'GET', path: '/models/:model/versions/:version', summary: 'A version: how it came to be, its evaluation and its transitions', access: READERS, params: VersionParams,
  async handle({ params, services: { stores } }) {
    const version = await findVersion(stores, params.model, params.version);
    const [transitions, evaluation, compression, snapshot] = await Promise.all([
      stores.versions.transitions(version.model, version.version), stores.evaluations.get(version.run, 'offline'), stores.evaluations.get(version.run, 'compression'), stores.snapshots.get(version.snapshot),
    ]);
    return { version, transitions, evaluation: evaluation?.report ?? null, compression: compression?.report ?? null, snapshot: snapshot && { digest: snapshot.digest, rows: snapshot.rows, counts: snapshot.counts } };
  },
});
