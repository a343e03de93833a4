import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUEUES, SIGNALS, UPDATES, workflowId } from '../../contract/names.js';
import type { ReleaseReply } from '../../contract/signals.js';
import { ApplicationFailure } from '@temporalio/common';
import { lifecycle } from '../../workflows/lifecycle.js';
import { lifecycleActivities, nothingSeen } from './lifecycle-activities.js';
import type { Seen } from './lifecycle-activities.js';
import { endTimeSkipping, replay, startTimeSkipping, withWorkers } from './support.js';

// The time-skipping server was seen to stall on a machine with six times more work than cores; a stalled one is left for a new one.
describe('the lifecycle of a run', { retry: 2, timeout: 30_000 }, () => {
  let environment: TestWorkflowEnvironment;
  // A server of its own for each test: skipped time is one for all workflows of a server.
  beforeEach(async () => { environment = await startTimeSkipping(); });
  afterEach(async () => { await endTimeSkipping(environment); });

  const start = async () => {
    const run = `car-truck-${randomUUID()}`;
    const id = workflowId.lifecycle('car-truck', run);
    const handle = await environment.client.workflow.start(lifecycle, { workflowId: id, taskQueue: QUEUES.lifecycle, args: [{ v: 1, model: 'car-truck', run }] });
    return { handle, id, run };
  };
  const until = async (condition: () => boolean) => {
    for (let tries = 0; tries < 400; tries += 1) {
      if (condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('it did not happen within 10 s');
  };
  const decision = (verdict: string) => ({ verdict, nonce: randomUUID() });
  const released = (seen: Seen, outcome: ReleaseReply['outcome'], message = 'car-truck@1 is live'): ReleaseReply => ({ v: 1, id: seen.releases.at(-1)?.id ?? '', outcome, generation: 1, message, unconfirmed: [] });

  it('goes from a reason to a released version, each step in its place', async () => {
    const seen = nothingSeen();
    await withWorkers(environment, lifecycleActivities(seen), async () => {
      const { handle, id } = await start();
      await until(() => seen.mails.includes('request'));
      await handle.signal(SIGNALS.decide, decision('approve'));
      await until(() => seen.releases.length === 1);
      await handle.signal(SIGNALS.released, released(seen, 'released'));
      expect(await handle.result()).toMatchObject({ status: 'released' });
      await replay(environment, id);
    });
    expect(seen.steps).toEqual(['snapshot', 'validate', 'quick-pass', 'train', 'evaluate', 'package', 'register', 'test-environment', 'evidence', 'approval', 'release']);
    expect(seen.versionMoves).toEqual(['tested', 'approved']);
    expect(seen.statuses).toEqual(['waiting', 'released']);
  });

  it('waits seven days for an approver, reminds after two, and expires without a release', async () => {
    const seen = nothingSeen();
    await withWorkers(environment, lifecycleActivities(seen), async () => {
      const { handle, id } = await start();
      const began = Date.now();
      expect(await handle.result()).toMatchObject({ status: 'expired' });
      expect(Date.now() - began).toBeLessThan(30_000);
      await replay(environment, id);
    });
    expect(seen.mails).toEqual(['request', 'reminder', 'committer:expired']);
    expect(seen.releases).toEqual([]);
    expect(seen.versionMoves).toEqual(['tested', 'rejected']);
  });

  it('takes a decision by Update as by Signal, answers at once with a ticket, and refuses what is not one', async () => {
    const seen = nothingSeen();
    await withWorkers(environment, lifecycleActivities(seen), async () => {
      const { handle, id } = await start();
      await until(() => seen.mails.includes('request'));
      await handle.signal(SIGNALS.decide, 'x'.repeat(100_000));
      await handle.signal(SIGNALS.decide, null);
      const ticket = await handle.executeUpdate(UPDATES.decide, { args: [{ verdict: 'reject', nonce: 'my-nonce' }] });
      expect(ticket).toEqual({ ticket: 'my-nonce' });
      expect(await handle.result()).toMatchObject({ status: 'rejected' });
      await replay(environment, id);
    });
    expect(seen.refused).toEqual([null, null]);
    expect(seen.releases).toEqual([]);
    expect(seen.mails).toContain('committer:rejected');
  });

  it('is judged again, on new evidence and by a new decision, when another version went live meanwhile', async () => {
    const seen = nothingSeen();
    let judgedAgain = 0;
    const activities = lifecycleActivities(seen, { evaluateAgain: async () => { judgedAgain += 1; return { verdict: 'pass', summary: '', expected: { uri: 's3://b/k', sha256: 'a'.repeat(64), bytes: 1 } }; } });
    await withWorkers(environment, activities, async () => {
      const { handle, id } = await start();
      await until(() => seen.mails.length === 1);
      await handle.signal(SIGNALS.decide, decision('approve'));
      await until(() => seen.releases.length === 1);
      await handle.signal(SIGNALS.released, released(seen, 'stale'));
      await until(() => seen.mails.length === 2);
      await handle.signal(SIGNALS.decide, decision('approve'));
      await until(() => seen.releases.length === 2);
      await handle.signal(SIGNALS.released, released(seen, 'released'));
      expect(await handle.result()).toMatchObject({ status: 'released' });
      await replay(environment, id);
    });
    expect(judgedAgain).toBe(1);
    expect(new Set(seen.releases.map((release) => release.id)).size).toBe(2);
  });

  it('a failed gate registers nothing and says which', async () => {
    const seen = nothingSeen();
    const error = { code: 'gates/failed', message: 'gate failed: accuracy-day', next: 'better data' };
    await withWorkers(environment, lifecycleActivities(seen, { evaluateCandidate: async () => ({ verdict: 'fail', summary: error.message, error, expected: null }) }), async () => {
      const { handle, id } = await start();
      expect(await handle.result()).toMatchObject({ status: 'rejected', error: { code: 'gates/failed' } });
      await replay(environment, id);
    });
    expect(seen.steps).not.toContain('register');
    expect(seen.mails).toEqual(['committer:failed']);
  });

  it('judges the variant that was chosen instead of the full network; one that cannot be made costs nothing else', async () => {
    const seen = nothingSeen();
    const asked: { made?: unknown; judged?: unknown } = {};
    const [plan, quantize] = [lifecycleActivities(seen).planRun, lifecycleActivities(seen).quantizeVariant];
    const activities = lifecycleActivities(seen, {
      planRun: async () => ({ ...await plan(), variants: [{ name: 'float16', trained: false }, { name: 'uint8', trained: false }, { name: 'student', trained: true }] }),
      quantizeVariant: async (request: { variant: string }) => {
        if (request.variant === 'uint8') throw ApplicationFailure.create({ type: 'training/network', message: 'no weights', nonRetryable: true });
        return quantize(request);
      },
      chooseVariant: async ({ made }: { made: { candidate?: unknown }[] }) => { asked.made = made; return { candidate: made[0]?.candidate, name: 'float16', because: '' }; },
      evaluateCandidate: async ({ candidate }: { candidate: unknown }) => { asked.judged = candidate; return { verdict: 'fail', summary: '', expected: null }; },
    });
    await withWorkers(environment, activities, async () => {
      const { handle, id } = await start();
      expect(await handle.result()).toMatchObject({ status: 'rejected' });
      await replay(environment, id);
    });
    expect(asked).toMatchObject({ made: [{ name: 'float16' }, { name: 'uint8', error: 'no weights' }, { name: 'student', candidate: { files: [{ path: 'student.json' }] } }], judged: { files: [{ path: 'float16.json' }] } });
    expect(seen.steps).toEqual(['snapshot', 'validate', 'quick-pass', 'train', 'compress', 'evaluate']);
  });

  it('a typed failure of an activity ends the run with its code and what to do', async () => {
    const seen = nothingSeen();
    const error = { code: 'training/not-finite', message: 'the loss is NaN in epoch 1, batch 3', next: 'Lower the learning rate' };
    const activities = lifecycleActivities(seen, { quickPass: async () => { throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error] }); } });
    await withWorkers(environment, activities, async () => {
      const { handle, id } = await start();
      expect(await handle.result()).toMatchObject({ status: 'failed', error });
      await replay(environment, id);
    });
    expect(seen.ended?.error).toEqual(error);
  });

  it('is cancelled at any wait, and says who cancelled it', async () => {
    const seen = nothingSeen();
    await withWorkers(environment, lifecycleActivities(seen), async () => {
      const { handle, id } = await start();
      await until(() => seen.mails.includes('request'));
      await handle.signal(SIGNALS.cancel, { v: 1, id: 'c1', by: 'team', reason: 'a newer commit', superseded: true });
      expect(await handle.result()).toMatchObject({ status: 'superseded', message: 'superseded by team: a newer commit' });
      await replay(environment, id);
    });
    expect(seen.statuses).toEqual(['waiting', 'superseded']);
  });

  it('gives the test environment back when the test over HTTP fails', async () => {
    const seen = nothingSeen();
    let givenBack = 0;
    const error = { code: 'test-environment/failed', message: 'p99 900 ms', next: 'look' };
    const activities = lifecycleActivities(seen, { testOverHttp: async () => ({ passed: false, error }), releaseTestSlot: async () => { givenBack += 1; } });
    await withWorkers(environment, activities, async () => {
      const { handle, id } = await start();
      expect(await handle.result()).toMatchObject({ status: 'rejected', error });
      await replay(environment, id);
    });
    expect(givenBack).toBe(1);
    expect(seen.versionMoves).toEqual(['rejected']);
  });

  it('applies a commit that changes policy only without training', async () => {
    const seen = nothingSeen();
    await withWorkers(environment, lifecycleActivities(seen, { trainedBefore: async () => ({ kind: 'policy-only', version: 'car-truck@1' }) }), async () => {
      const { handle, id } = await start();
      expect(await handle.result()).toMatchObject({ status: 'applied' });
      await replay(environment, id);
    });
    expect(seen.steps).toEqual(['snapshot', 'validate']);
  });
});
