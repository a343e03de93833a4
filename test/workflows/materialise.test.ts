import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUEUES, workflowId } from '../../contract/names.js';
import { materialise } from '../../workflows/materialise.js';
import { endTimeSkipping, replay, startTimeSkipping, withWorkers } from './support.js';

describe('a materialisation', { retry: 2, timeout: 30_000 }, () => {
  let environment: TestWorkflowEnvironment;
  beforeEach(async () => { environment = await startTimeSkipping(); });
  afterEach(async () => { await endTimeSkipping(environment); });

  async function run(materialiseView: (request: { asOf: string; id: string }) => Promise<{ rowsAdded: number }>) {
    const failed: unknown[] = [];
    const name = workflowId.materialise('activity');
    const outcome = await withWorkers(environment, { materialiseView, failMaterialisation: async (failure: unknown) => { failed.push(failure); } }, async () => {
      const ended = await environment.client.workflow.execute(materialise, { workflowId: name, taskQueue: QUEUES.lifecycle, args: [{ v: 1, view: 'activity' }] });
      await replay(environment, name);
      return ended;
    });
    return { failed, outcome };
  }

  it('is as of its own beginning, however often it is tried', async () => {
    const asked: string[] = [];
    const { outcome } = await run(async ({ asOf, id }) => {
      asked.push(`${id} ${asOf}`);
      if (asked.length === 1) throw new Error('the worker died');
      return { rowsAdded: 3 };
    });
    expect(outcome).toEqual({ rowsAdded: 3 });
    expect([asked.length, new Set(asked).size]).toEqual([2, 1]);
  });

  it('that cannot be done is on the record, with the reason', async () => {
    const error = { code: 'features/blocked', message: 'a row has no time', next: 'correct it' };
    const { failed, outcome } = await run(async () => { throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details: [error] }); });
    expect(outcome).toEqual({ failed: 'features/blocked' });
    expect(failed).toEqual([{ view: 'activity', id: expect.any(String) as string, error }]);
  });
});
