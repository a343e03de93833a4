import { gzipSync } from 'node:zlib';
import type { TrainedVariant } from '../../definition/compression.js';
import type { Artifacts } from '../../stores/artifacts.js';
import type { ActivityDeps } from '../deps.js';
import { storeModel, trainAttempt } from '../train/attempt.js';
import type { AttemptOf } from '../train/attempt.js';
import type { Candidate } from '../train/candidate.js';
import { fileOf, quantizeCandidate } from './quantize.js';

export interface VariantTraining extends Pick<AttemptOf<unknown>, 'key' | 'definition' | 'networkBundle' | 'openSnapshot' | 'onProgress' | 'onNote'> { readonly full: Candidate; readonly variant: TrainedVariant }

/** Trains a smaller form of a network, from the newest checkpoint under its key, and stores it as its definition says. */
export async function trainVariant(deps: ActivityDeps, { full, variant, ...attempt }: VariantTraining): Promise<Candidate> {
  const { used: files } = await trainAttempt(deps, { ...attempt, mode: 'full', variant: { variant, full }, use: storeModel(deps) });
  const stored = variant.store === 'float32' ? { files } : await quantizeCandidate(deps.artifacts, { files }, variant.store);
  return variant.kind === 'prune' ? compressed(deps.artifacts, stored) : stored;
}

/** The same network with its weights compressed as a whole: only so do zeros take less room than other numbers. The same bytes give the same bytes. */
async function compressed(artifacts: Artifacts, { files }: Candidate): Promise<Candidate> {
  const model = JSON.parse(new TextDecoder().decode(await artifacts.get(fileOf(files, 'model.json')))) as object;
  const made = {
    'model.json': await artifacts.putBlob(new TextEncoder().encode(JSON.stringify({ ...model, weightsEncoding: 'gzip' }))),
    'weights.bin': await artifacts.putBlob(gzipSync(await artifacts.get(fileOf(files, 'weights.bin')), { level: 9 })),
  };
  return { files: files.map(({ path, ref }) => ({ path, ref: path === 'model.json' || path === 'weights.bin' ? made[path] : ref })) };
}
