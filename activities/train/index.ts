import type { RunStep } from '../../contract/run.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { putJson, readJson } from '../../stores/json-objects.js';
import { requireDefinition, requireRun } from '../lookup.js';
import { attemptName, storeModel, trainAttempt } from './attempt.js';
import type { Attempted, Finished } from './attempt.js';
import { Candidate } from './candidate.js';
import { discardCheckpoints } from './checkpoints.js';
import { createProgressLog } from './progress.js';

export interface TrainingRequest { readonly model: string; readonly run: string; readonly snapshot: string }
export type TrainActivities = ReturnType<typeof createTrainActivities>;

/**
 * Training in a child process. A second try finds the finished candidate in the run's row; else it goes on from the newest
 * complete checkpoint of any attempt. Attempts may overlap: each writes under a path of its own.
 */
export function createTrainActivities(deps: ActivityDeps) {
  const { stores, artifacts } = deps;

  const start = async <T>(request: TrainingRequest, mode: 'quick' | 'full', use: (finished: Finished) => Promise<T>): Promise<Attempted<T>> => {
    const run = await requireRun(stores, request.run);
    const { definition, networkBundle } = await requireDefinition(stores, request.model, run.commit);
    const progress = createProgressLog({ stores, run: request.run, step: (mode === 'quick' ? 'quick-pass' : 'train') satisfies RunStep, attempt: attemptName(mode) });
    try {
      return await trainAttempt(deps, {
        key: request.run, definition, networkBundle, openSnapshot: (signal) => openSnapshot(deps, request.snapshot, signal), mode, use, imported: run.reason.imported,
        onProgress: (seen) => { progress.seen(seen); }, onNote: (message) => progress.note(message),
      });
    } finally {
      await progress.flush();
    }
  };

  return {
    async quickPass(request: TrainingRequest): Promise<void> {
      await start(request, 'quick', () => Promise.resolve()); // it is enough that it can be trained
    },
    async train(request: TrainingRequest): Promise<Candidate> {
      const known = (await requireRun(stores, request.run)).candidate;
      if (known) return Candidate.parse(await readJson(artifacts, known));
      const { used: files, history, parameters } = await start(request, 'full', storeModel(deps));
      const candidate: Candidate = { files };
      if (history.length > 0) await stores.learningCurves.save({ subject: request.run, epochs: history, parameters }); // nothing was learned of what is imported
      await stores.runs.setFields(request.run, { candidate: await putJson(artifacts, candidate) });
      await discardCheckpoints(artifacts, request.run);
      return candidate;
    },
  };
}
