import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSourceActivities } from '../../activities/source/index.js';
import { commit } from '../stores/samples.js';
import { createDataStack } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

/** Only that there is a definition matters. */
const DATA: Data = { kind: 'table', columns: ['n'], target: { name: 'outcome', classes: ['no', 'yes'] }, sources: [{ kind: 'csv', location: 'anywhere', path: '*.csv', key: 'n', split: 'train' }] };

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

/** The rows that `readCommit` leaves of commits of one model, read in the order in which they are given; accepts one. */
async function read(...commits: { at: string; second: number; after?: string[] }[]) {
  const { stores } = stack;
  const { model } = await stack.define(DATA);
  for (const { at, second } of commits) {
    await stores.models.startIntake({ repository: 'cars', commit: at, branch: 'main', committer: { name: '', email: '' }, message: '' });
    await stores.models.describeIntake({ repository: 'cars', commit: at, committer: { name: '', email: '' }, message: '', committedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString() });
    await stack.define(DATA, model, undefined, {}, at);
  }
  const accept = (at: string) => new MockActivityEnvironment().run(() => createSourceActivities(stack.deps).acceptCommit({ repository: 'cars', commit: at, models: [model], ancestors: commits.find((one) => one.at === at)?.after ?? [] }));
  const inForce = async () => (await stores.models.get(model))?.currentCommit;
  return { model, accept, inForce };
}

describe('of two commits', () => {
  const [older, newer] = [commit('older'), commit('newer')];
  const orders = [[older, newer], [newer, older]] as const;
  for (const read1 of orders) for (const accepted of orders) {
    const told = (order: readonly string[]) => (order[0] === older ? 'the older first' : 'the newer first');
    it(`within a second the one that comes after the other is in force: ${told(read1)} read, ${told(accepted)} accepted`, async () => {
      const { accept, inForce } = await read(...read1.map((at) => ({ at, second: 0, after: at === newer ? [older] : [] })));
      for (const at of accepted) await accept(at);
      expect(await inForce()).toBe(newer);
    });
  }
  it('that are accepted at once, the newer is in force even if the older looked before and writes after', async () => {
    const { model, accept, inForce } = await read({ at: newer, second: 0, after: [older] }, { at: older, second: 0 });
    const holder = new pg.Client(stack.databaseUrl);
    await holder.connect();
    const waiting = async () => {
      await holder.query('select pg_stat_clear_snapshot()');
      return (await holder.query<{ n: number }>("select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rows[0]?.n;
    };
    await holder.query('begin');
    await holder.query('select from models where name = $1 for update', [model]);
    const accepted = [accept(newer)];
    await expect.poll(waiting).toBe(1);
    accepted.push(accept(older));
    await expect.poll(waiting).toBe(2);
    await holder.query('commit');
    await Promise.all(accepted);
    await holder.end();
    expect(await inForce()).toBe(newer);
  });
  it('of which neither comes after the other, the later by the clock is in force', async () => {
    const { accept, inForce } = await read({ at: newer, second: 1 }, { at: older, second: 0 });
    await accept(newer);
    await accept(older);
    expect(await inForce()).toBe(newer);
  });
  it('the one that comes after the other is in force even if it was made on a machine whose clock is behind', async () => {
    const { accept, inForce } = await read({ at: older, second: 5 }, { at: newer, second: 0, after: [older] });
    await accept(older);
    await accept(newer);
    expect(await inForce()).toBe(newer);
  });
});
