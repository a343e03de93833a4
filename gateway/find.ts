import { PerennialError } from '../contract/errors.js';
import type { Stores } from '../stores/index.js';

/** Look-ups that answer the registry's "unknown" error instead of null. */
export async function findModel(stores: Stores, name: string) {
  const model = await stores.models.get(name);
  if (!model) throw new PerennialError('model/unknown', `there is no model ${name}`);
  return model;
}

export async function findVersion(stores: Stores, model: string, version: number) {
  const found = await stores.versions.get(model, version);
  if (!found) throw new PerennialError('version/unknown', `${model} has no version ${version}`);
  return found;
}

export async function findSnapshot(stores: Stores, digest: string) {
  const snapshot = await stores.snapshots.get(digest);
  if (!snapshot) throw new PerennialError('snapshot/unknown', `there is no snapshot ${digest}`);
  return snapshot;
}

export async function findFeatureView(stores: Stores, name: string) {
  const view = await stores.featureViews.current(name);
  if (!view) throw new PerennialError('features/unknown', `there is no feature view ${name}`);
  return view;
}

export async function findRun(stores: Stores, id: string) {
  const run = await stores.runs.get(id);
  if (!run) throw new PerennialError('run/unknown', `there is no run ${id}`);
  return run;
}

export async function findExperiment(stores: Stores, id: string) {
  const experiment = await stores.experiments.get(id);
  if (!experiment) throw new PerennialError('experiment/unknown', `there is no experiment ${id}`);
  return experiment;
}

export async function findEnvironment(stores: Stores, name: string) {
  const environment = (await stores.environments.list()).find((one) => one.name === name);
  if (!environment) throw new PerennialError('request/invalid', `environment: there is no environment ${name}`);
  return environment;
}

/** Where a model is released to, as its present definition says; `production` before its first definition. */
export async function releaseEnvironment(stores: Stores, model: string): Promise<{ environment: string; keepWarm: string }> {
  const current = await stores.models.currentDefinition(model);
  return current?.definition.release ?? { environment: 'production', keepWarm: '15m' };
}
