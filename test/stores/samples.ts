import { createHash, randomUUID } from 'node:crypto';
import type { Ref } from '../../contract/ref.js';
import type { RunReason } from '../../contract/run.js';
import type { Stores } from '../../stores/index.js';
import type { NewVersion } from '../../stores/versions.js';

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
export const commit = (text: string): string => digest(text).slice(0, 40);
export const ref = (text: string): Ref => ({ uri: `s3://perennial/blobs/${digest(text)}`, sha256: digest(text), bytes: text.length });
export const reason: RunReason = { kind: 'commit', detail: 'a push', by: 'ada', force: false };

/** A repository and a model of it. */
export async function addModel(stores: Stores, name = `model-${randomUUID().slice(0, 8)}`): Promise<string> {
  await stores.repositories.add({ name: 'cars', url: 'file:///cars', branches: ['main'], pollSeconds: 0, by: 'ada' });
  await stores.models.ensure({ name, repository: 'cars', path: 'cars.model.ts', owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'tells cars from trucks' });
  return name;
}

export async function addRun(stores: Stores, model: string, cause: string = randomUUID()): Promise<string> {
  const { run } = await stores.runs.create({ model, cause, reason, commit: commit(cause), trainingDigest: digest('training'), policyDigest: digest('policy') });
  return run.id;
}

export function versionOf(model: string, run: string): NewVersion {
  return {
    model, run, packageDigest: digest(`package of ${run}`), manifest: ref(`manifest of ${run}`), commit: commit(run), snapshot: digest('snapshot'), trainingDigest: digest('training'),
    hyperparameters: { learningRate: 0.001 }, metrics: { accuracy: 0.92 }, by: 'lifecycle', reason: 'a push',
    environmentLock: { node: 'v20', platform: 'linux-x64', tensorflow: '2.20.0', tfjs: '4.22.0', lockfile: null, timeZone: 'UTC', locale: 'C', threads: 1 },
  };
}

/** A UUIDv7 of this instant. */
export function uuid7(at: string): string {
  const time = Date.parse(at).toString(16).padStart(12, '0');
  const rest = randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(15)}`;
}
