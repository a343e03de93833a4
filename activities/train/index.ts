import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { RunStep } from '../../contract/run.js';
import type { TrainProgress } from '../../contract/frames.js';
import { trainInChild } from '../../runtime/train/train.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { putJson, readJson } from '../json.js';
import { requireDefinition, requireRun } from '../lookup.js';
import { Candidate } from './candidate.js';
import { createCheckpoints } from './checkpoints.js';
import { createProgressLog } from './progress.js';

export interface TrainingRequest { readonly model: string; readonly run: string; readonly snapshot: string }
export type TrainActivities = ReturnType<typeof createTrainActivities>;

/**
 * Training in a child process. A second try finds the finished candidate in the run's row; else it goes on from the newest
 * complete checkpoint of any attempt. Attempts may overlap: each writes under a path of its own.
 */
export function createTrainActivities(deps: ActivityDeps) {
  const { stores, artifacts, tfjsNode, scratch } = deps;

  const start = async (request: TrainingRequest, mode: 'quick' | 'full'): Promise<Candidate> => {
    const { info } = Context.current();
    const attempt = `${mode}-${info.attempt}-${info.workflowExecution?.runId.slice(0, 8) ?? 'none'}`;
    const directory = join(scratch, 'attempts', request.run, attempt);
    const run = await requireRun(stores, request.run);
    const { definition, networkBundle } = await requireDefinition(stores, request.model, run.commit);
    const progress = createProgressLog({ stores, run: request.run, step: (mode === 'quick' ? 'quick-pass' : 'train') satisfies RunStep, attempt });

    return heartbeating(async (signal) => {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const checkpoints = createCheckpoints({ artifacts, run: request.run, attempt });
      try {
        const { manifest, localShards } = await openSnapshot(deps, request.snapshot, signal);
        const resumeFrom = mode === 'full' ? await checkpoints.restore(join(directory, 'resume')) : null;
        if (resumeFrom) await progress.note(`resumed from epoch ${resumeFrom.epoch}, batch ${resumeFrom.batch}`);
        const { modelDirectory } = await trainInChild({
          definition, bundleCode: networkBundle ? await artifacts.get(networkBundle) : null, snapshot: { manifest, localShards },
          attemptDirectory: directory, resumeFrom: resumeFrom?.directory ?? null, mode, tfjsNode, signal,
          onProgress: (seen: TrainProgress) => progress.seen(seen),
          onCheckpoint: (path: string) => (mode === 'full' ? checkpoints.save(path) : Promise.resolve()),
        });
        if (mode === 'quick') return { files: [] };
        const files = [];
        for (const path of (await readdir(modelDirectory)).sort()) files.push({ path, ref: await artifacts.putBlob(join(modelDirectory, path)) });
        return { files };
      } finally {
        await progress.flush();
        await rm(directory, { recursive: true, force: true });
        if (signal.aborted) await checkpoints.discard();
      }
    }, () => progress.last());
  };

  return {
    async quickPass(request: TrainingRequest): Promise<void> {
      await start(request, 'quick');
    },
    async train(request: TrainingRequest): Promise<Candidate> {
      const known = (await requireRun(stores, request.run)).candidate;
      if (known) return Candidate.parse(await readJson(artifacts, known));
      const candidate = await start(request, 'full');
      await stores.runs.setFields(request.run, { candidate: await putJson(artifacts, candidate) });
      await createCheckpoints({ artifacts, run: request.run, attempt: '' }).discardAll();
      return candidate;
    },
  };
}
