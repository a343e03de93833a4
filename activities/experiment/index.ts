import type { ExperimentPlan, ExperimentStatus } from '../../contract/experiment.js';
import { PerennialError } from '../../contract/errors.js';
import type { RunError } from '../../contract/run.js';
import type { PlannedTrial } from '../../domain/experiment.js';
import { figuresOf } from '../../domain/figures.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { evaluateModel, reportOf } from '../evaluate/evaluate-model.js';
import { heartbeating } from '../heartbeat.js';
import { trainAttempt } from '../train/attempt.js';
import { discardCheckpoints } from '../train/checkpoints.js';
import { heldOutOf } from './division.js';
import { holdOut } from './held-out.js';
import { withParameters } from './parameters.js';
import { createTrialProgress } from './progress.js';
import { checkPlan, readCommitOf, snapshotFor } from './read.js';

export interface TrialRequest { readonly id: string; readonly trial: PlannedTrial }
export type ExperimentRecordActivities = ReturnType<typeof createExperimentRecordActivities>;
export type ExperimentReadActivities = ReturnType<typeof createExperimentReadActivities>;
export type TrialActivities = ReturnType<typeof createTrialActivities>;

const checkpointsKey = (id: string, trial: number) => `experiment-${id}-${trial}`;

/** How an experiment begins and ends. A repetition changes nothing. */
export function createExperimentRecordActivities({ stores, artifacts }: ActivityDeps) {
  return {
    async planExperiment(experiment: { id: string; model: string; commit: string; branch: string; by: string; plan: ExperimentPlan }): Promise<void> {
      await stores.experiments.create(experiment);
    },
    async failTrial({ id, trial, error }: TrialRequest & { readonly error: RunError }): Promise<void> {
      await stores.experiments.beginTrial(id, trial); // where no worker came as far
      await stores.experiments.failTrial({ experiment: id, trial: trial.trial }, error);
      await discardCheckpoints(artifacts, checkpointsKey(id, trial.trial));
    },
    async endExperiment({ id, ...end }: { id: string; status: Exclude<ExperimentStatus, 'running'>; stopped: string | null; error: RunError | null }): Promise<void> {
      for (const { trial, status } of await stores.experiments.trials(id)) if (status === 'running') await discardCheckpoints(artifacts, checkpointsKey(id, trial)); // of a training that was cancelled
      await stores.experiments.end(id, end);
    },
  };
}

/** Reads the commit, finds the rows, and refuses a plan that cannot work before anything is trained. It writes what is the same at every try. */
export function createExperimentReadActivities(deps: ActivityDeps) {
  const { stores, artifacts } = deps;
  return {
    readExperiment: ({ id }: { id: string }): Promise<void> => heartbeating(async (signal) => {
      const experiment = await requireExperiment(deps, id);
      const { definition, networkBundle } = await readCommitOf(deps, experiment, signal);
      const manifest = await snapshotFor(deps, definition);
      const { metric, problems } = checkPlan(experiment.plan, definition, manifest);
      if (problems.length > 0) throw new PerennialError('experiment/impossible', problems.join('; '), { problems });
      await stores.experiments.prepare(id, { definition, networkBundle: networkBundle ? await artifacts.putBlob(networkBundle.code) : null, snapshot: manifest.digest, metric });
    }),
  };
}

/** One training with one combination, judged on the rows that it did not see. A second try finds its result, or its newest checkpoint. */
export function createTrialActivities(deps: ActivityDeps) {
  const { stores, artifacts } = deps;
  return {
    async runTrial({ id, trial: planned }: TrialRequest): Promise<void> {
      const at = { experiment: id, trial: planned.trial };
      const key = checkpointsKey(id, planned.trial);
      await stores.experiments.beginTrial(id, planned);
      if ((await stores.experiments.getTrial(at))?.status === 'running') {
        const { definition: base, networkBundle, snapshot: digest, plan } = await requireExperiment(deps, id);
        if (!base || !digest) throw new Error(`experiment ${id} was not prepared`);
        const changed = withParameters(base, planned.parameters);
        if (!changed.ok) throw new PerennialError('experiment/impossible', changed.problems.join('; '));
        const { definition } = changed;
        const progress = createTrialProgress(stores, at);
        const { used: report } = await trainAttempt(deps, {
          key, definition, networkBundle, mode: 'full', onProgress: (seen) => { progress.seen(seen); }, onNote: () => Promise.resolve(),
          openSnapshot: async (signal, directory) => {
            const whole = await openSnapshot(deps, digest, signal);
            const division = heldOutOf(plan, planned.fold, definition.data, whole.manifest);
            if ('problem' in division) throw new PerennialError('experiment/impossible', division.problem);
            return holdOut(whole, division.heldOut, directory, signal);
          },
          // A category that only the rows held out have is judged as well, as the answer that the model would rather not give.
          use: async ({ modelDirectory, snapshot, signal }) => reportOf(await evaluateModel({ deps, directory: modelDirectory, snapshot, refused: 'predict', signal }), definition, digest),
        });
        await stores.experiments.finishTrial(at, { figures: Object.fromEntries(figuresOf(report)), rows: report.overall.n });
      }
      await discardCheckpoints(artifacts, key);
    },
  };
}

async function requireExperiment({ stores }: ActivityDeps, id: string) {
  const experiment = await stores.experiments.get(id);
  if (!experiment) throw new Error(`experiment ${id} was not planned`);
  return experiment;
}
