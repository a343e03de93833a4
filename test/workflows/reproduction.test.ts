import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUEUES, workflowId } from '../../contract/names.js';
import { reproduction } from '../../workflows/reproduction.js';
import { endTimeSkipping, replay, startTimeSkipping, withWorkers } from './support.js';

describe('the reproduction of a version', { retry: 2, timeout: 30_000 }, () => {
  let environment: TestWorkflowEnvironment;
  beforeEach(async () => { environment = await startTimeSkipping(); });
  afterEach(async () => { await endTimeSkipping(environment); });

  async function run(overrides: Record<string, (...args: never[]) => unknown> = {}) {
    const seen: string[] = [];
    const note = (name: string) => async () => { seen.push(name); };
    const activities = {
      planReproduction: note('plan'), rebuild: note('rebuild'), failReproduction: async ({ error }: { error: { code: string } }) => { seen.push(`fail:${error.code}`); },
      judgeReproduction: async () => { seen.push('judge'); return { verdict: 'identical' }; }, ...overrides,
    };
    const id = randomUUID();
    const name = workflowId.reproduction('car-truck', 3, id);
    const outcome = await withWorkers(environment, activities, async () => {
      const ended = await environment.client.workflow.execute(reproduction, { workflowId: name, taskQueue: QUEUES.lifecycle, args: [{ v: 1, model: 'car-truck', version: 3, id, by: 'ada', tolerance: null }] });
      await replay(environment, name);
      return ended;
    });
    return { seen, outcome };
  }

  it('notes what is asked, trains once more, and judges', async () => {
    expect(await run()).toEqual({ seen: ['plan', 'rebuild', 'judge'], outcome: { verdict: 'identical' } });
  });

  it('a training that is tried again goes on', async () => {
    let tries = 0;
    const { outcome } = await run({ rebuild: async () => { tries += 1; if (tries === 1) throw new Error('the worker died'); } });
    expect([tries, outcome]).toEqual([2, { verdict: 'identical' }]);
  });

  it('that cannot be done ends with what is missing, on the record', async () => {
    const error = { code: 'storage/missing', message: 'a shard is gone', next: 'restore the bucket' };
    const { seen, outcome } = await run({ rebuild: async () => { throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error] }); } });
    expect([seen, outcome]).toEqual([['plan', 'fail:storage/missing'], { verdict: 'failed', error }]);
  });
});
