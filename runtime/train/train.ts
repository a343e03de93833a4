import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EpochFigures, LocalSnapshot, TrainMode, TrainProgress, ChildFrame } from '../../contract/frames.js';
import type { ModelFormat } from '../../contract/imported.js';
import type { TrainedVariant } from '../../definition/compression.js';
import type { ModelDefinition } from '../../definition/model.js';
import { endError, reportedError } from '../child/failure.js';
import { startChild } from '../child/start.js';

export interface TrainOptions {
  readonly definition: ModelDefinition;
  /** Code of the bundled `network.module`; null where the definition lists layers. */
  readonly bundleCode: Uint8Array | null;
  readonly snapshot: LocalSnapshot;
  /** Local folder of this attempt; checkpoints and the model are written here. */
  readonly attemptDirectory: string;
  /** A checkpoint folder of an earlier attempt, or null. */
  readonly resumeFrom: string | null;
  /** `quick`: a few rows and epochs, to find a broken network early. */
  readonly mode: TrainMode;
  /** Absolute path of the module that loads TensorFlow. */
  readonly tfjsNode: string;
  /** Digest of the lockfile that the packages came from, for the environment lock. */
  readonly lockfile?: string | null;
  /** A network that was trained elsewhere, in a local folder: checked and taken instead of training one. */
  readonly imported?: { readonly format: ModelFormat; readonly directory: string } | null;
  /** A smaller form that is trained instead, and the local folder of the full network. */
  readonly variant?: { readonly variant: TrainedVariant; readonly full: string } | null;
  readonly checkpointEveryMs?: number;
  /** Rows up to this size are held in memory; more are kept in a local file and read in windows of this size. */
  readonly cacheMb?: number;
  /** Called with the child's process id. */
  readonly onStart?: (pid: number) => void;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Called with a complete checkpoint folder, one at a time; when it resolves, older checkpoints are removed. A rejection stops the training. */
  readonly onCheckpoint?: (directory: string) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface Trained {
  /** Holds `model.json`, `weights.bin`, `preprocessing.json`, `signature.json`, `profile.json`, `environment.json`. */
  readonly modelDirectory: string;
  readonly history: readonly EpochFigures[];
  readonly parameters: number;
}

const CODES = { memory: 'training/memory', timeout: 'training/time', crashed: 'training/crashed' } as const;

/**
 * Trains in a child process. Errors: `training/not-finite`, `training/network`, `training/memory`, `training/time`,
 * `import/unreadable`, `import/signature`,
 * `training/crashed` (try again with `resumeFrom` the last checkpoint), `data/blocked`, `data/missing`; when `signal`
 * aborts, its reason, at most 5 s later.
 */
export async function trainInChild(options: TrainOptions): Promise<Trained> {
  const { definition, snapshot, attemptDirectory, resumeFrom, mode, tfjsNode, signal } = options;
  const { limits, threads } = definition.training;
  signal?.throwIfAborted();
  await mkdir(attemptDirectory, { recursive: true });
  const checkpoints = keepLatest(attemptDirectory, options.onCheckpoint, () => { child.kill(); });
  let result: ChildFrame | null = null;
  const child = startChild({
    program: 'train', memoryMb: limits.memoryMb, timeoutMs: limits.minutes * 60_000, graceMs: 3000, tfjsNode, threads, signal, files: options.bundleCode ? { 'network.mjs': options.bundleCode } : {},
    onFrame: (frame) => {
      if (frame.kind === 'train-progress') options.onProgress?.(frame.progress);
      else if (frame.kind === 'checkpoint') checkpoints.add(frame.directory);
      else result ??= frame;
    },
  });
  options.onStart?.(child.pid);
  child.start({
    program: 'train', definition, networkModule: options.bundleCode ? join(child.home, 'network.mjs') : null, snapshot, attemptDirectory, resumeFrom, mode, lockfile: options.lockfile ?? null, imported: options.imported ?? null, variant: options.variant ?? null,
    checkpointEveryMs: options.checkpointEveryMs ?? 60_000, cacheMb: options.cacheMb ?? 64,
  });
  const end = await child.end;
  await checkpoints.settled();
  const frame = result as ChildFrame | null;
  if (end.kind === 'exited' && frame?.kind === 'trained') return { modelDirectory: frame.modelDirectory, history: frame.history, parameters: frame.parameters };
  if (end.kind === 'exited' && frame?.kind === 'failed') throw reportedError(frame, 'training/crashed');
  throw endError(end, child.output(), `training '${definition.name}'`, CODES, signal);
}

/** Hands on the latest checkpoint, one at a time, then removes those before it. */
function keepLatest(attemptDirectory: string, onCheckpoint: TrainOptions['onCheckpoint'], onFailure: () => void) {
  let latest: string | null = null;
  let working: Promise<void> | null = null;
  let failure: { readonly error: unknown } | null = null;
  const work = async () => {
    while (latest !== null) {
      const directory = latest;
      latest = null;
      await onCheckpoint?.(directory);
      await removeBefore(attemptDirectory, directory);
    }
  };
  return {
    add: (directory: string) => {
      latest = directory;
      working ??= work().catch((error: unknown) => {
        failure = { error };
        onFailure();
      }).finally(() => { working = null; });
    },
    settled: async () => {
      while (working) await working;
      if (failure) throw (failure as { error: unknown }).error;
    },
  };
}

async function removeBefore(attemptDirectory: string, kept: string): Promise<void> {
  const number = (name: string) => Number(/^checkpoint-(\d+)(\.tmp)?$/.exec(name)?.[1] ?? NaN);
  const limit = number(kept.split('/').at(-1) ?? '');
  const older = (await readdir(attemptDirectory)).filter((name) => number(name) < limit);
  await Promise.all(older.map((name) => rm(join(attemptDirectory, name), { recursive: true, force: true })));
}
