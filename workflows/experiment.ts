import { CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import type { ExperimentPlan, ExperimentStatus } from '../contract/experiment.js';
import type { RunError } from '../contract/run.js';
import { trialsOf, trialsPlanned } from '../domain/experiment.js';
import { experimentRecord, readExperiment, trials } from './support/activities.js';
import { toRunError } from './support/failure.js';

export interface ExperimentInput { readonly v: 1; readonly model: string; readonly id: string; readonly commit: string; readonly branch: string; readonly by: string; readonly plan: ExperimentPlan }
export interface ExperimentOutcome { readonly status: End['status']; /** Trials that were begun. */ readonly trials: number }

interface End { readonly status: Exclude<ExperimentStatus, 'running'>; readonly stopped: string | null; readonly error: RunError | null }

/**
 * Trains a commit again and again, with other parameters or on other rows, and registers nothing. One training after another unless the plan
 * asks for more at once, so that runs get their turn on the training workers.
 */
export async function experiment({ model, id, commit, branch, by, plan }: ExperimentInput): Promise<ExperimentOutcome> {
  await CancellationScope.nonCancellable(() => experimentRecord.planExperiment({ id, model, commit, branch, by, plan }));
  let begun = 0;
  let end: End;
  try {
    await readExperiment.readExperiment({ id });
    const failures: RunError[] = [];
    const deadline = Date.now() + plan.budget.minutes * 60_000;
    const left = trialsOf(plan).values(); // all lanes take from it
    let isOver = false;
    const lane = async (): Promise<void> => {
      for (const trial of left) {
        if (isOver || Date.now() >= deadline) return;
        begun += 1;
        try {
          await trials.runTrial({ id, trial });
        } catch (error) {
          if (isCancellation(error)) throw error;
          const failure = toRunError(error);
          failures.push(failure);
          await experimentRecord.failTrial({ id, trial, error: failure }); // the next one may still be good
        }
      }
    };
    // A worker of before begins them one after another whatever the plan says.
    const lanes = plan.parallel > 1 && patched('parallel-trials') ? plan.parallel : 1;
    await Promise.all(Array.from({ length: lanes }, lane)).finally(() => { isOver = true; });
    const [first] = failures;
    end = first && failures.length === begun ? { status: 'failed', stopped: leftOut(plan, begun), error: first } : { status: 'done', stopped: leftOut(plan, begun), error: null };
  } catch (error) {
    end = isCancellation(error) ? { status: 'cancelled', stopped: 'it was cancelled', error: null } : { status: 'failed', stopped: null, error: toRunError(error) };
  }
  await CancellationScope.nonCancellable(() => experimentRecord.endExperiment({ id, ...end }));
  return { status: end.status, trials: begun };
}

/** Why trials of the plan were left out; null where none was. */
function leftOut(plan: ExperimentPlan, begun: number): string | null {
  const left = trialsPlanned(plan) - begun;
  const budget = begun >= plan.budget.trials ? `${plan.budget.trials} training${plan.budget.trials === 1 ? '' : 's'}` : `${plan.budget.minutes} minute${plan.budget.minutes === 1 ? '' : 's'}`;
  return left === 0 ? null : `${left} of ${trialsPlanned(plan)} trainings were left out: the budget of ${budget} was used up`;
}
