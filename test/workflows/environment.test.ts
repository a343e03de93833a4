import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUEUES, SIGNALS, workflowId } from '../../contract/names.js';
import type { ReleaseReply, ReleaseRequest } from '../../contract/signals.js';
import { environment as environmentWorkflow } from '../../workflows/environment.js';
import { endTimeSkipping, replay, startTimeSkipping, withWorkers } from './support.js';

interface Seen { writes: { version: number | null; expected: number; intent: string }[]; replies: ReleaseReply[]; records: string[] }

/** Answers of the activities: a route that is written by compare-and-set, and replicas that serve what it says. */
function activities(seen: Seen, overrides: Record<string, (...args: never[]) => unknown> = {}) {
  let generation = 0;
  return {
    admitRelease: async () => ({ kind: 'admit', generation, liveVersion: seen.writes.at(-1)?.version ?? null }),
    writeRoute: async ({ expected, intent, version }: { expected: number; intent: string; version: number | null }) => {
      seen.writes.push({ version, expected, intent });
      generation = expected + 1;
      return { ok: true, generation };
    },
    confirmRoute: async () => ({ confirmed: ['production-1'], unconfirmed: [], failed: [] }),
    recordReleased: async () => { seen.records.push('released'); },
    recordReleaseFailed: async () => { seen.records.push('failed'); },
    chooseRollback: async () => ({ kind: 'switch', generation, from: 2, to: 1, keepWarmMs: 1 }),
    recordRollback: async () => { seen.records.push('rolled-back'); },
    setPaused: async ({ paused }: { paused: boolean }) => { seen.records.push(paused ? 'paused' : 'resumed'); },
    replyReleased: async ({ reply }: { reply: ReleaseReply }) => { seen.replies.push(reply); },
    keepMonitor: async () => undefined,
    anchorLedger: async () => undefined,
    ...overrides,
  };
}

// The time-skipping server was seen to stall on a machine with six times more work than cores; a stalled one is left for a new one.
describe('the environment of a model', { retry: 2, timeout: 30_000 }, () => {
  let temporal: TestWorkflowEnvironment;
  // A server of its own for each test: skipped time is one for all workflows of a server.
  beforeEach(async () => { temporal = await startTimeSkipping(); });
  afterEach(async () => { await endTimeSkipping(temporal); });

  const start = async () => {
    const name = `e${randomUUID().slice(0, 8)}`;
    const id = workflowId.environment('car-truck', name);
    const handle = await temporal.client.workflow.start(environmentWorkflow, { workflowId: id, taskQueue: QUEUES.lifecycle, args: [{ v: 1, model: 'car-truck', environment: name }] });
    return { handle, id };
  };
  const request = (version: number, id: string = randomUUID()): ReleaseRequest => ({ v: 1, id, run: `car-truck-r${version}`, version, evidence: 'a'.repeat(64), force: false, by: 'run', replyTo: 'lifecycle/x/y', keepWarmMs: 1 });
  const until = async (condition: () => boolean) => {
    for (let tries = 0; tries < 400; tries += 1) {
      if (condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('it did not happen within 10 s');
  };
  const nothing = (): Seen => ({ writes: [], replies: [], records: [] });
  const end = async (handle: { terminate(): Promise<unknown> }, id: string) => {
    await replay(temporal, id);
    await handle.terminate();
  };

  it('releases one at a time, answers each, and hears a repeated request once', async () => {
    const seen = nothing();
    await withWorkers(temporal, activities(seen), async () => {
      const { handle, id } = await start();
      await handle.signal(SIGNALS.release, request(1, 'one'));
      await handle.signal(SIGNALS.release, request(1, 'one'));
      await handle.signal(SIGNALS.release, request(2, 'two'));
      await until(() => seen.replies.length === 2);
      await handle.signal(SIGNALS.release, request(1, 'one'));
      await handle.signal(SIGNALS.release, request(3, 'three'));
      await until(() => seen.replies.length === 3);
      await end(handle, id);
    });
    expect(seen.writes).toEqual([{ version: 1, expected: 0, intent: 'one' }, { version: 2, expected: 1, intent: 'two' }, { version: 3, expected: 2, intent: 'three' }]);
    expect(seen.replies.map((reply) => reply.outcome)).toEqual(['released', 'released', 'released']);
  });

  it('takes back a version that cannot be served, and says why', async () => {
    const seen = nothing();
    let live: number | null = 1;
    const failing = activities(seen, {
      admitRelease: async () => ({ kind: 'admit', generation: 4, liveVersion: live }),
      confirmRoute: async () => ({ confirmed: [], unconfirmed: [], failed: [{ replica: 'production-1', message: 'golden predictions differ' }] }),
    });
    await withWorkers(temporal, failing, async () => {
      const { handle, id } = await start();
      await handle.signal(SIGNALS.release, request(2, 'bad'));
      await until(() => seen.replies.length === 1);
      await end(handle, id);
    });
    live = null;
    expect(seen.writes.map(({ version, intent }) => [version, intent])).toEqual([[2, 'bad'], [1, 'bad/undo']]);
    expect(seen.replies[0]).toMatchObject({ outcome: 'failed', message: expect.stringContaining('golden predictions differ') as string });
    expect(seen.records).toEqual(['failed']);
  });

  it('rolls back ahead of the releases that wait, and drops those of the version it leaves', async () => {
    const seen = nothing();
    let held = true;
    const holding = activities(seen, { admitRelease: async () => (held ? { kind: 'hold', waitMs: 3_600_000 } : { kind: 'admit', generation: 9, liveVersion: 1 }) });
    await withWorkers(temporal, holding, async () => {
      const { handle, id } = await start();
      await handle.signal(SIGNALS.release, request(2, 'again'));
      await handle.signal(SIGNALS.release, request(3, 'other'));
      await handle.signal(SIGNALS.rollback, { v: 1, id: 'back', reason: 'errors', by: 'ops', to: null });
      await until(() => seen.records.includes('rolled-back') && seen.replies.length === 1);
      expect(seen.replies[0]).toMatchObject({ id: 'again', outcome: 'refused' });
      held = false;
      await handle.signal(SIGNALS.resume, { v: 1, id: 'go', version: null, by: 'ops', reason: 'fixed' });
      await until(() => seen.replies.length === 2);
      await end(handle, id);
    });
    expect(seen.writes.map(({ version }) => version)).toEqual([1, 3]);
    expect(seen.replies[1]).toMatchObject({ id: 'other', outcome: 'released' });
  });

  it('answers stale when somebody else wrote the route first', async () => {
    const seen = nothing();
    await withWorkers(temporal, activities(seen, { writeRoute: async () => ({ ok: false, generation: 7 }) }), async () => {
      const { handle, id } = await start();
      await handle.signal(SIGNALS.release, request(1));
      await until(() => seen.replies.length === 1);
      await end(handle, id);
    });
    expect(seen.replies[0]).toMatchObject({ outcome: 'stale', generation: 7 });
    expect(seen.records).toEqual([]);
  });
});
