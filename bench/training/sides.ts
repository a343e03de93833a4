import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCheckpoints, discardCheckpoints } from '../../activities/train/checkpoints.js';
import { loadNativeParts } from '../../infra/native.js';
import { childEnvironment } from '../../runtime/child/environment.js';
import { builtFile } from '../../runtime/child/program-path.js';
import { trainInChild } from '../../runtime/train/train.js';
import type { Artifacts } from '../../stores/artifacts.js';
import { BareResult, type BareTask } from './bare-task.js';
import type { Material } from './material.js';
import { processorSeconds } from './processor-time.js';

const run = promisify(execFile);

/** One training from nothing to stored files. */
export interface Trained { readonly seconds: number; /** Of processor time; null where it cannot be known. */ readonly processor: number | null; readonly accuracy: number }

export interface SideOptions { readonly material: Material; readonly folder: string; readonly signal: AbortSignal }

/** Gives the time since: on the clock, and of the processors. */
function startWatch(): () => Pick<Trained, 'seconds' | 'processor'> {
  const [began, spent] = [performance.now(), processorSeconds()];
  return () => {
    const now = processorSeconds();
    return { seconds: (performance.now() - began) / 1_000, processor: now === null || spent === null ? null : now - spent };
  };
}

const RUN = 'bench-r1';

/**
 * The stage as a run's training activity does it: a watched child that reads the snapshot's shards and decodes them, progress, a
 * checkpoint stored in S3 after every epoch, the model checked and stored.
 */
export async function trainAsStage({ material, folder, signal, artifacts, attempt, mode = 'full' }: SideOptions & { artifacts: Artifacts; attempt: string; mode?: 'quick' | 'full' }): Promise<Trained> {
  const { definition, snapshot } = material;
  const watch = startWatch();
  const attemptDirectory = join(folder, `attempt-${attempt}`);
  const checkpoints = createCheckpoints({ artifacts, run: RUN, attempt });
  let told = 0;
  const { modelDirectory, history } = await trainInChild({
    definition, bundleCode: null, snapshot, attemptDirectory, resumeFrom: null, mode, tfjsNode: loadNativeParts().tfjsNode, signal,
    onProgress: () => { told += 1; },
    onCheckpoint: (directory) => checkpoints.save(directory),
  });
  for (const path of await readdir(modelDirectory)) await artifacts.putBlob(join(modelDirectory, path));
  const took = watch();
  if (told < history.length) throw new Error(`the stage told of ${told} steps in ${history.length} epochs`);
  await rm(attemptDirectory, { recursive: true, force: true });
  await discardCheckpoints(artifacts, RUN);
  return { ...took, accuracy: history.at(-1)?.accuracy ?? NaN };
}

/** The same network on the same pixels in a script of its own, in a process with the same settings. */
export async function trainBare({ material, folder, signal }: SideOptions): Promise<Trained> {
  const home = await mkdtemp(join(folder, 'bare-'));
  try {
    const { definition, rows, pixels, labels } = material;
    const task: BareTask = { definition, rows, pixels, labels, saveTo: join(home, 'model') };
    await mkdir(task.saveTo);
    await writeFile(join(home, 'task.json'), JSON.stringify(task));
    const { threads, limits } = definition.training;
    const watch = startWatch();
    const { stdout } = await run(process.execPath, [`--max-old-space-size=${limits.memoryMb}`, builtFile('bench/training/bare.js'), join(home, 'task.json')], {
      signal, timeout: limits.minutes * 60_000, env: childEnvironment({ home, tfjsNode: loadNativeParts().tfjsNode, threads }),
    });
    return { ...watch(), accuracy: BareResult.parse(JSON.parse(stdout)).accuracy };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
