import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExperimentPlan } from '../../contract/experiment.js';
import { QUEUES, workflowId } from '../../contract/names.js';
import { experiment } from '../../workflows/experiment.js';
import { endTimeSkipping, replay, startTimeSkipping, withWorkers } from './support.js';

const EPOCHS = { vary: [{ path: 'training.epochs', values: [1, 2, 3] }] };
interface Asked { readonly trial: { readonly trial: number; readonly parameters: Record<string, unknown> } }
const refused = (code: string) => ApplicationFailure.create({ type: code, message: 'no', nonRetryable: true, details: [{ code, message: 'no', next: 'look' }] });

describe('an experiment', { retry: 2, timeout: 30_000 }, () => {
  let environment: TestWorkflowEnvironment;
  beforeEach(async () => { environment = await startTimeSkipping(); });
  afterEach(async () => { await endTimeSkipping(environment); });

  /** Runs a plan on these trials; gives what was called, and what was told at the end. */
  async function run(plan: unknown, runTrial: (asked: Asked) => Promise<void>, { cancelAt, readExperiment }: { cancelAt?: string; readExperiment?: () => Promise<void> } = {}) {
    const seen: string[] = [];
    let end: unknown;
    const id = randomUUID();
    const name = workflowId.experiment('titanic', id);
    const handle = () => environment.client.workflow.getHandle(name);
    const note = async (what: string) => {
      seen.push(what);
      if (what === cancelAt) await handle().cancel();
    };
    const activities = {
      planExperiment: () => note('plan'), readExperiment: async () => { await note('read'); await readExperiment?.(); },
      runTrial: async (asked: Asked) => { await note(`trial ${asked.trial.trial}`); await runTrial(asked); },
      failTrial: ({ trial, error }: Asked & { error: { code: string } }) => note(`failed ${trial.trial}: ${error.code}`),
      endExperiment: async ({ id: _id, ...how }: { id: string }) => { end = how; await note('end'); },
    };
    const outcome = await withWorkers(environment, activities, async () => {
      const ended = await environment.client.workflow.execute(experiment, { workflowId: name, taskQueue: QUEUES.lifecycle, args: [{ v: 1, model: 'titanic', id, commit: 'c'.repeat(40), branch: 'main', by: 'ada', plan: ExperimentPlan.parse(plan) }] });
      await replay(environment, name);
      return ended;
    });
    return { seen, end, outcome };
  }

  it('goes on after a trial that fails, and tries again what a dead worker left', async () => {
    let tries = 0;
    const { seen, end, outcome } = await run(EPOCHS, async ({ trial: { trial } }) => {
      if (trial === 2) throw refused('training/not-finite');
      if (trial === 3 && (tries += 1) === 1) throw new Error('the worker died');
    });
    expect(seen).toEqual(['plan', 'read', 'trial 1', 'trial 2', 'failed 2: training/not-finite', 'trial 3', 'trial 3', 'end']);
    expect([end, outcome]).toEqual([{ status: 'done', stopped: null, error: null }, { status: 'done', trials: 3 }]);
  });

  it('that asks for several at once begins as many, and each next one when one has ended; its budget counts all', async () => {
    let [now, most] = [0, 0];
    let release: () => void = () => undefined;
    const together = new Promise<void>((resolve) => { release = resolve; });
    const { seen, end, outcome } = await run({ vary: [{ path: 'training.epochs', values: [1, 2, 3, 4, 5, 6] }], parallel: 3, budget: { trials: 5 } }, async ({ trial: { trial } }) => {
      most = Math.max(most, now += 1);
      if (now === 3) release();
      await together; // the first three wait for each other
      now -= 1;
      if (trial === 2) throw refused('training/not-finite');
    });
    expect(most).toBe(3);
    expect(seen.filter((what) => what.startsWith('trial')).sort()).toEqual([1, 2, 3, 4, 5].map((trial) => `trial ${trial}`));
    expect([seen.includes('failed 2: training/not-finite'), seen.at(-1)]).toEqual([true, 'end']);
    expect([end, outcome]).toEqual([{ status: 'done', error: null, stopped: '1 of 6 trainings were left out: the budget of 5 trainings was used up' }, { status: 'done', trials: 5 }]);
  });

  it('that has no good trial ends with the reason of the first', async () => {
    const { end } = await run(EPOCHS, async () => { throw refused('training/network'); });
    expect(end).toEqual({ status: 'failed', stopped: null, error: { code: 'training/network', message: 'no', next: 'look' } });
  });

  it('begins no trial beyond its budget of trials, or of minutes', async () => {
    const few = await run({ ...EPOCHS, budget: { trials: 2 } }, async () => undefined);
    expect([few.outcome.trials, few.end]).toEqual([2, { status: 'done', error: null, stopped: '1 of 3 trainings were left out: the budget of 2 trainings was used up' }]);

    const tries = new Map<number, number>(); // each try after a longer pause, more than a minute in all
    const slow = await run({ ...EPOCHS, budget: { minutes: 1 } }, async ({ trial: { trial } }) => {
      tries.set(trial, (tries.get(trial) ?? 0) + 1);
      if (tries.get(trial) !== 9) throw new Error('the worker died');
    });
    expect([slow.outcome.trials, slow.end]).toEqual([1, { status: 'done', error: null, stopped: '2 of 3 trainings were left out: the budget of 1 minute was used up' }]);
  });

  it('whose plan does not fit its commit trains nothing', async () => {
    const { seen, end } = await run(EPOCHS, async () => undefined, { readExperiment: async () => { throw refused('experiment/impossible'); } });
    expect([seen, end]).toEqual([['plan', 'read', 'end'], { status: 'failed', stopped: null, error: { code: 'experiment/impossible', message: 'no', next: 'look' } }]);
  });

  it.each(['plan', 'read', 'trial 2'])('that is cancelled at its %s ends on the record, and begins nothing more', async (cancelAt) => {
    const { seen, end } = await run(EPOCHS, async ({ trial: { trial } }) => { if (`trial ${trial}` === cancelAt) await untilCancelled(); }, { cancelAt, readExperiment: async () => { if (cancelAt === 'read') await untilCancelled(); } });
    expect(seen.at(-1)).toBe('end');
    expect(seen).not.toContain('trial 3');
    expect(end).toEqual({ status: 'cancelled', stopped: 'it was cancelled', error: null });
  });
});

/** Works until it is told to stop, which comes with the answer to a heartbeat. */
async function untilCancelled(): Promise<void> {
  const context = Context.current();
  const beat = setInterval(() => { context.heartbeat(); }, 50);
  await context.cancelled.finally(() => { clearInterval(beat); });
}
