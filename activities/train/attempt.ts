import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Context } from '@temporalio/activity';
import type { LocalSnapshot, TrainMode, TrainProgress } from '../../contract/frames.js';
import { ImportedFiles } from '../../contract/imported.js';
import type { Ref } from '../../contract/ref.js';
import type { RunReason } from '../../contract/run.js';
import type { TrainedVariant } from '../../definition/compression.js';
import type { ModelDefinition } from '../../definition/model.js';
import { lockfileDigest } from '../../runtime/train/lockfile.js';
import { trainInChild } from '../../runtime/train/train.js';
import type { Trained } from '../../runtime/train/train.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import type { Candidate } from './candidate.js';
import { readJson } from '../../stores/json-objects.js';
import { createCheckpoints } from './checkpoints.js';
import { fetchCandidate } from './fetch-candidate.js';

/** A trained model while its folder is there. */
export interface Finished { readonly modelDirectory: string; readonly snapshot: LocalSnapshot; readonly signal: AbortSignal }

export interface AttemptOf<T> {
  /** Under which checkpoints are kept, and found by the next attempt: a run's id, or another name that no run has. */
  readonly key: string;
  readonly definition: ModelDefinition;
  readonly networkBundle: Ref | null;
  /** `directory`: a folder that is there as long as the attempt. */
  readonly openSnapshot: (signal: AbortSignal, directory: string) => Promise<LocalSnapshot>;
  readonly mode: TrainMode;
  /** A network that was trained elsewhere: taken instead of training one. */
  readonly imported?: RunReason['imported'];
  /** A smaller form that is trained instead, from the full network. */
  readonly variant?: { readonly variant: TrainedVariant; readonly full: Candidate };
  readonly onProgress: (progress: TrainProgress) => void;
  readonly onNote: (message: string) => Promise<void>;
  /** What becomes of the model: it is stored ({@link storeModel}), or only judged. */
  readonly use: (finished: Finished) => Promise<T>;
}
export interface Attempted<T> extends Pick<Trained, 'history' | 'parameters'> { readonly used: T }

/** Puts the files of a trained model into S3. */
export function storeModel({ artifacts }: Pick<ActivityDeps, 'artifacts'>): (finished: Pick<Finished, 'modelDirectory'>) => Promise<Candidate['files']> {
  return async ({ modelDirectory }) => {
    const files = [];
    const entries = await readdir(modelDirectory, { recursive: true, withFileTypes: true });
    for (const path of entries.filter((entry) => entry.isFile()).map((entry) => relative(modelDirectory, join(entry.parentPath, entry.name))).sort()) files.push({ path, ref: await artifacts.putBlob(join(modelDirectory, path)) });
    return files;
  };
}

async function fetchImported({ artifacts }: Pick<ActivityDeps, 'artifacts'>, { format, files }: NonNullable<RunReason['imported']>, directory: string) {
  await fetchCandidate(artifacts, ImportedFiles.parse(await readJson(artifacts, files)), directory);
  return { format, directory };
}

async function fetchFull({ artifacts }: Pick<ActivityDeps, 'artifacts'>, full: Candidate, directory: string): Promise<string> {
  await fetchCandidate(artifacts, full, directory);
  return directory;
}

/** This attempt's name: two attempts may overlap, and neither writes where the other does. */
export function attemptName(mode: TrainMode): string {
  const { info } = Context.current();
  return `${mode}-${info.attempt}-${info.workflowExecution?.runId.slice(0, 8) ?? 'none'}`;
}

/**
 * One attempt at a training, from the newest complete checkpoint of any attempt under the same key; a quick one leaves none. A worker
 * that is told to stop leaves its checkpoints for the next one.
 */
export async function trainAttempt<T>(deps: ActivityDeps, { key, definition, networkBundle, openSnapshot, mode, imported, variant, onProgress, onNote, use }: AttemptOf<T>): Promise<Attempted<T>> {
  const { artifacts, tfjsNode, scratch } = deps;
  const attempt = attemptName(mode);
  let last: TrainProgress | undefined;
  return heartbeating((signal) => withWorkspace(scratch, 'trainings', async (directory) => {
    const checkpoints = createCheckpoints({ artifacts, run: key, attempt });
    const snapshot = await openSnapshot(signal, directory);
    const resumeFrom = mode === 'full' ? await checkpoints.restore(join(directory, 'resume')) : null;
    if (resumeFrom) await onNote(`resumed from epoch ${resumeFrom.epoch}, batch ${resumeFrom.batch}`);
    const { modelDirectory, history, parameters } = await trainInChild({
      definition, bundleCode: networkBundle ? await artifacts.get(networkBundle) : null, snapshot,
      attemptDirectory: directory, resumeFrom: resumeFrom?.directory ?? null, mode, tfjsNode, signal, lockfile: await lockfileDigest(), imported: imported ? await fetchImported(deps, imported, join(directory, 'imported')) : null,
      variant: variant ? { variant: variant.variant, full: await fetchFull(deps, variant.full, join(directory, 'full')) } : null,
      onProgress: (seen) => { last = seen; onProgress(seen); },
      onCheckpoint: (path) => (mode === 'full' ? checkpoints.save(path) : Promise.resolve()),
    });
    return { history, parameters, used: await use({ modelDirectory, snapshot, signal }) };
  }), () => last);
}
