import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUEUES, SIGNALS, workflowId } from '../../contract/names.js';
import type { TrainRequest } from '../../contract/signals.js';
import type { GovernorPolicy } from '../../activities/record/index.js';
import { governor } from '../../workflows/governor.js';
import { lifecycleActivities, nothingSeen } from './lifecycle-activities.js';
import { endTimeSkipping, replay, startTimeSkipping, withWorkers } from './support.js';

const HOUR = 3_600_000;

// The time-skipping server was seen to stall on a machine with six times more work than cores; a stalled one is left for a new one.
describe('the governor of a model', { retry: 2, timeout: 30_000 }, () => {
  let temporal: TestWorkflowEnvironment;
  // A server of its own for each test: skipped time is one for all workflows of a server.
  beforeEach(async () => { temporal = await startTimeSkipping(); });
  afterEach(async () => { await endTimeSkipping(temporal); });

  const until = async (condition: () => boolean) => {
    for (let tries = 0; tries < 400; tries += 1) {
      if (condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('it did not happen within 10 s');
  };
  const request = (cause: string, kind: TrainRequest['reason']['kind'] = 'commit'): TrainRequest => ({ v: 1, id: cause, cause, commit: null, reason: { kind, detail: cause, by: 'test', force: false } });

  /** A governor whose lifecycles stop where `hold` says, under a model name of its own. */
  function world(policy: Partial<GovernorPolicy> = {}, hold: Record<string, (...args: never[]) => unknown> = {}) {
    const model = `m${randomUUID().slice(0, 8)}`;
    const started: string[] = [];
    const dropped: string[] = [];
    const seen = nothingSeen();
    const activities = lifecycleActivities(seen, {
      admitTrainRequest: async ({ payload }: { payload: TrainRequest | null }) => payload,
      governorPolicy: async () => ({ cooldownMs: HOUR, debounceMs: 0, newer: 'supersede', budget: { runs: 20, perMs: 24 * HOUR }, everyMs: null, ...policy }),
      createRun: async ({ request: asked }: { request: TrainRequest }) => { if (!started.includes(asked.cause)) started.push(asked.cause); return { kind: 'run', run: `${model}-r${started.indexOf(asked.cause) + 1}`, open: true }; },
      dropRequest: async ({ request: asked, outcome }: { request: TrainRequest; outcome: string }) => { dropped.push(`${asked.cause}:${outcome}`); },
      lookAtRun: async () => 'running',
      tellGovernor: async ({ run, status }: { run: string; status: string }) => {
        seen.statuses.push(status);
        await temporal.client.workflow.getHandle(workflowId.governor(model)).signal(SIGNALS.runEnded, { v: 1, id: `${status}/${run}`, run, status });
      },
      trainedBefore: async () => ({ kind: 'unchanged', version: `${model}@1` }),
      ...hold,
    });
    const begin = () => temporal.client.workflow.start(governor, { workflowId: workflowId.governor(model), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model }] });
    return { model, started, dropped, seen, activities, begin };
  }

  it('starts one run for a cause, however often it is asked', async () => {
    const { activities, begin, started, seen, model } = world();
    await withWorkers(temporal, activities, async () => {
      const handle = await begin();
      for (let times = 0; times < 3; times += 1) await handle.signal(SIGNALS.train, request('commit/a'));
      await until(() => seen.statuses.includes('unchanged'));
      await handle.signal(SIGNALS.train, request('commit/a'));
      await handle.signal(SIGNALS.train, request('commit/b'));
      await until(() => seen.statuses.length === 2);
      await replay(temporal, workflowId.governor(model));
      await handle.terminate();
    });
    expect(started).toEqual(['commit/a', 'commit/b']);
  });

  it('stops a run that is training when a newer commit comes', async () => {
    const training = new Map<string, () => void>();
    const { activities, begin, started, seen, model } = world({}, {
      trainedBefore: async () => ({ kind: 'new' }),
      quickPass: async ({ run }: { run: string }) => { if (started.length === 1) await new Promise<void>((resolve) => training.set(run, resolve)); },
    });
    await withWorkers(temporal, activities, async () => {
      const handle = await begin();
      await handle.signal(SIGNALS.train, request('commit/a'));
      await until(() => training.size === 1);
      await handle.signal(SIGNALS.train, request('commit/b'));
      await new Promise((resolve) => setTimeout(resolve, 200));
      for (const go of training.values()) go();
      await until(() => seen.statuses.includes('superseded') && started.includes('commit/b'));
      await replay(temporal, workflowId.governor(model));
      await handle.terminate();
      await temporal.client.workflow.getHandle(workflowId.lifecycle(model, `${model}-r2`)).terminate();
    });
    expect(started).toEqual(['commit/a', 'commit/b']);
  });

  it('keeps a retraining for lost quality to the cooldown, and answers several with one run', async () => {
    const { activities, begin, started, dropped, seen, model } = world({}, { trainedBefore: async () => ({ kind: 'new' }), evaluateCandidate: async () => ({ verdict: 'fail', summary: 'x', error: { code: 'gates/failed', message: 'x', next: 'y' }, expected: null }) });
    await withWorkers(temporal, activities, async () => {
      const handle = await begin();
      await handle.signal(SIGNALS.train, request('commit/a'));
      await until(() => seen.statuses.length === 1);
      await handle.signal(SIGNALS.train, request('finding/1', 'loss'));
      await handle.signal(SIGNALS.train, request('finding/2', 'drift'));
      await until(() => dropped.length === 1);
      expect(started).toEqual(['commit/a']);
      await temporal.sleep(2 * HOUR);
      await until(() => started.length === 2);
      await replay(temporal, workflowId.governor(model));
      await handle.terminate();
    });
    expect(started).toEqual(['commit/a', 'finding/1']);
    expect(dropped).toEqual(['finding/2:merged']);
  });

  it('takes no harm from a message that is not one', async () => {
    const { activities, begin, started, seen, model } = world({}, { admitTrainRequest: async ({ payload }: { payload: TrainRequest | null }) => (payload && typeof payload === 'object' && 'cause' in payload ? payload : null) });
    await withWorkers(temporal, activities, async () => {
      const handle = await begin();
      await handle.signal(SIGNALS.train, 'nonsense');
      await handle.signal(SIGNALS.train, 'y'.repeat(50_000));
      await handle.signal(SIGNALS.train, request('commit/a'));
      await until(() => seen.statuses.length === 1);
      await replay(temporal, workflowId.governor(model));
      await handle.terminate();
    });
    expect(started).toEqual(['commit/a']);
  });
});
