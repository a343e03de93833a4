import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { addModel } from './samples.js';

let t: TestDatabase;
beforeAll(async () => { t = await createTestDatabase({ max: 12 }); });
afterAll(() => t.drop());

const times = <T>(n: number, fn: (index: number) => Promise<T>) => Promise.all(Array.from({ length: n }, (_, index) => fn(index)));
const clock = async (): Promise<string> => (await t.db.query<{ at: string }>('select clock_timestamp() as at'))[0]?.at ?? '';
const pause = (ms: number) => new Promise((settle) => setTimeout(settle, ms));

describe('routes', () => {
  const route = (model: string, expected: number, intent: string, version = 1) =>
    ({ environment: 'production', model, expected, intent, arms: [{ version, role: 'live' as const, share: 1 }], keepWarmMs: 900_000, by: 'ada', reason: 'release' });

  it('of twenty writers who expect the same generation one wins, and the others are shown its route', async () => {
    const model = await addModel(t.stores);
    const other = t.another({ max: 8 });
    expect((await t.stores.routes.write(route(model, 0, 'first'))).ok).toBe(true);
    const answers = await times(20, (index) => (index % 2 ? t : other).stores.routes.write(route(model, 1, `intent-${index}`, index + 1)));
    const won = answers.filter((answer) => answer.ok);
    expect(won).toHaveLength(1);
    const current = await t.stores.routes.current('production', model);
    expect(current).toEqual(won[0]?.ok ? won[0].route : null);
    expect(current).toMatchObject({ generation: 2 });
    for (const answer of answers) if (!answer.ok) expect(answer.current).toEqual(current);
    expect((await t.stores.environments.state('production', model))?.liveVersion).toBe(current?.arms[0]?.version);
  });

  it('the same intent again gives its own row, also when newer routes followed', async () => {
    const model = await addModel(t.stores);
    const first = await t.stores.routes.write(route(model, 0, 'release/1'));
    const repeats = await times(5, () => t.stores.routes.write(route(model, 0, 'release/1')));
    expect(repeats).toEqual(Array(5).fill(first));
    await t.stores.routes.write(route(model, 1, 'release/2', 2));
    expect(await t.stores.routes.write(route(model, 0, 'release/1'))).toEqual(first);
    expect((await t.stores.routes.history('production', model)).map(({ generation }) => generation)).toEqual([2, 1]);
  });

  it('a late retry cannot overwrite a newer route, and nobody writes ahead', async () => {
    const model = await addModel(t.stores);
    expect((await t.stores.routes.write(route(model, 3, 'ahead'))).ok).toBe(false);
    for (let generation = 0; generation < 3; generation += 1) await t.stores.routes.write(route(model, generation, `r${generation}`));
    expect(await t.stores.routes.write(route(model, 1, 'late'))).toMatchObject({ ok: false, current: { generation: 3 } });
    await expect(t.db.query('delete from routes where model = $1', [model])).rejects.toThrow(/append-only/);
  });

  it('a new route is announced', async () => {
    const model = await addModel(t.stores);
    const heard: string[] = [];
    const stop = await t.another().db.listen('routes', (payload) => heard.push(payload));
    await t.stores.routes.write(route(model, 0, 'announced'));
    await expect.poll(() => heard).toContain(`production/${model}`);
    await stop();
  });
});

describe('replicas', () => {
  const lease = (id: string, pid: number, ttlMs: number) => t.stores.replicas.lease({ id, environment: 'production', url: `http://127.0.0.1/${id}`, pid, ttlMs });
  const served = async (model: string, id: string, at: string) => (await t.stores.replicas.servedAt('production', model, at)).find(({ replica }) => replica === id);

  it('served-at tells the version, nothing, and unknown where a lease had lapsed', async () => {
    const model = await addModel(t.stores);
    const { replicas } = t.stores;
    const before = await clock();
    expect(await lease('one', 1, 60_000)).toEqual({ unbroken: false });
    const nothing = await clock();
    expect(await replicas.report({ replica: 'one', model, version: 3, generation: 1 })).toBe(true);
    const third = await clock();
    expect(await lease('one', 1, 150)).toEqual({ unbroken: true }); // a shorter wish does not shorten what was granted
    await replicas.report({ replica: 'one', model, version: 4, generation: 2 });
    const fourth = await clock();
    await lease('two', 2, 200);
    await replicas.report({ replica: 'two', model, version: 4, generation: 2 });
    await pause(300);
    const silent = await clock();
    expect(await replicas.report({ replica: 'two', model, version: 5, generation: 3 })).toBe(false);
    expect(await lease('two', 2, 60_000)).toEqual({ unbroken: false });
    await replicas.report({ replica: 'two', model, version: 4, generation: 2 });
    const back = await clock();

    expect(await served(model, 'one', before)).toBeUndefined();
    expect(await served(model, 'one', nothing)).toEqual({ replica: 'one', state: 'nothing', version: null, generation: null });
    expect(await served(model, 'one', third)).toEqual({ replica: 'one', state: 'version', version: 3, generation: 1 });
    expect(await served(model, 'one', fourth)).toEqual({ replica: 'one', state: 'version', version: 4, generation: 2 });
    expect(await served(model, 'two', silent)).toEqual({ replica: 'two', state: 'unknown', version: null, generation: null });
    expect(await served(model, 'two', back)).toEqual({ replica: 'two', state: 'version', version: 4, generation: 2 });
    expect((await replicas.live('production')).filter(({ id }) => ['one', 'two'].includes(id)).map(({ id, serving }) => [id, serving])).toEqual([
      ['one', [{ model, version: 4, generation: 2 }]], ['two', [{ model, version: 4, generation: 2 }]]]);
    const intervals = await replicas.servedIntervals(model, 4);
    expect(intervals.map(({ replica, until }) => [replica, until === null])).toEqual([['one', true], ['two', false], ['two', true]]);
  });

  it('a clean goodbye ends serving, a silence is named', async () => {
    const model = await addModel(t.stores);
    const { replicas } = t.stores;
    await lease('leaving', 1, 60_000);
    await replicas.report({ replica: 'leaving', model, version: 1, generation: 1 });
    await lease('silent', 2, 100);
    await replicas.report({ replica: 'silent', model, version: 1, generation: 1 });
    await replicas.release('leaving');
    await replicas.release('leaving');
    await pause(150);
    const now = await clock();
    expect((await replicas.live('production')).map(({ id }) => id)).not.toContain('leaving');
    expect(await served(model, 'leaving', now)).toBeUndefined();
    expect((await replicas.lapsed('production', 60_000)).map(({ id }) => id)).toEqual(['silent']);
    expect(await replicas.lapsed('production', 1)).toEqual([]);
    expect(await served(model, 'silent', now)).toMatchObject({ state: 'unknown' });
  });

  it('another process under the same name takes over, and what the former one served does not count for it', async () => {
    const model = await addModel(t.stores);
    const { replicas } = t.stores;
    await lease('restarted', 1, 60_000);
    await replicas.report({ replica: 'restarted', model, version: 1, generation: 1 });
    expect(await lease('restarted', 2, 60_000)).toEqual({ unbroken: false });
    expect(await served(model, 'restarted', await clock())).toMatchObject({ state: 'nothing' });
    expect((await replicas.live('production')).find(({ id }) => id === 'restarted')?.serving).toEqual([]);
    await replicas.lease({ id: 'restarted', environment: 'production', url: 'http://127.0.0.1/r', pid: 2, serving: [{ model, version: 2, generation: 2 }] });
    await replicas.lease({ id: 'restarted', environment: 'production', url: 'http://127.0.0.1/r', pid: 2, serving: [{ model, version: 2, generation: 2 }] });
    expect(await replicas.servedIntervals(model, 2)).toHaveLength(1);
    expect(await served(model, 'restarted', await clock())).toMatchObject({ state: 'version', version: 2 });
  });
});
