import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeyLimits, type KeyLimits } from '../../serving/access/key-limits.js';
import type { ServedKey } from '../../contract/api-key.js';
import { addModel } from '../stores/samples.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/** Limits of two replicas over one PostgreSQL, with a clock of their own. */
let database: TestDatabase;
let model: string;
let now: number;

beforeAll(async () => {
  database = await createTestDatabase();
  model = await addModel(database.stores);
});
afterAll(() => database?.drop());

interface Replica { readonly limits: KeyLimits; readonly process: string }
const replica = (): Replica => ({ limits: createKeyLimits({ now: () => now, onRefused: () => undefined }), process: randomUUID() });

async function served(limits: { ratePerSecond?: number; daily?: number }): Promise<ServedKey> {
  now = Date.parse('2026-11-22T12:00:00Z');
  const name = `key-${randomUUID().slice(0, 8)}`;
  await database.stores.apiKeys.create({ name, environment: 'production', models: [model], scopes: ['predict'], ratePerSecond: null, daily: null, expiresAt: null, ...limits }, { by: 'ada', id: randomUUID() });
  const key = (await database.stores.apiKeys.served('production')).find((one) => one.name === name);
  if (!key) throw new Error('the key is not served');
  return key;
}

/** Asks for one prediction after another for a second, `perSecond` of them; gives how many were let through. */
function ask({ limits }: Replica, key: ServedKey, perSecond: number): number {
  let given = 0;
  for (let count = 0; count < perSecond; count += 1) {
    try {
      limits.take(key, 1).given();
      given += 1;
    } catch (error) {
      expect(error).toMatchObject({ status: 429 });
    }
  }
  return given;
}

async function tell(replicas: readonly Replica[]): Promise<void> {
  for (const { limits, process } of replicas) {
    const own = limits.toTell(1_000);
    limits.heard(own, await database.stores.apiKeyUse.tell(process, own));
  }
}

/** Predictions by second while each replica is asked so often a second, in turns of a tenth. */
async function seconds(replicas: readonly Replica[], key: ServedKey, perSecond: readonly number[], count: number): Promise<number[]> {
  const given: number[] = [];
  for (let second = 0; second < count; second += 1) {
    let sum = 0;
    for (let tenth = 0; tenth < 10; tenth += 1) {
      replicas.forEach((one, index) => { sum += ask(one, key, (perSecond[index] ?? 0) / 10); });
      now += 100;
    }
    await tell(replicas);
    given.push(sum);
  }
  return given;
}

test('a rate holds over replicas once they have heard of each other, however unevenly they are asked; one alone gets all of it', async () => {
  const key = await served({ ratePerSecond: 100 });
  const alone = [replica()];
  expect((await seconds(alone, key, [1_000], 3)).slice(1)).toEqual([100, 100]);
  for (const perSecond of [[1_000, 1_000], [1_000, 100], [80, 40]]) {
    const other = await served({ ratePerSecond: 100 });
    const given = await seconds([replica(), replica()], other, perSecond, 14);
    const steady = given.slice(10); // what had been saved up is gone by then
    for (const one of steady) expect(one).toBeGreaterThan(70);
    for (const one of steady) expect(one).toBeLessThanOrEqual(115);
    expect(given[0]).toBeLessThanOrEqual(400); // at most as if each had all of it, and a second's worth saved up
  }
});

test('a budget holds over replicas but for what they have not told yet, begins again at midnight UTC, and a lost tell loses nothing', async () => {
  const key = await served({ daily: 100 });
  const [first, second] = [replica(), replica()];
  expect(ask(first, key, 70)).toBe(70);
  const lost = first.limits.toTell(1_000);
  await database.stores.apiKeyUse.tell(first.process, lost); // and the answer did not arrive
  await tell([first, second]);
  expect(ask(second, key, 1)).toBe(1); // it had not asked, so it had heard nothing
  await tell([second, first]);
  expect(ask(second, key, 50)).toBe(29);
  await tell([second, first]);
  expect(ask(first, key, 1)).toBe(0);
  now = Date.parse('2026-11-23T00:00:01Z');
  expect(ask(first, key, 120)).toBe(100);
  await tell([first]);
  const listed = await database.db.query<{ day: string; used: number }>('select to_char(day, $2) as day, sum(used)::int as used from api_key_use where name = $1 group by day order by day', [key.name, 'YYYY-MM-DD']);
  expect(listed).toEqual([{ day: '2026-11-22', used: 100 }, { day: '2026-11-23', used: 100 }]);
});

test('rows that explanations cost count as predictions do: the rate waits for them, and the budget is used up by them', async () => {
  const key = await served({ ratePerSecond: 10, daily: 100 });
  const { limits } = replica();
  limits.take(key, 1).given(64);
  expect(() => limits.take(key, 1)).toThrow(/^key\/rate/);
  now += 5_500; // ten a second were saved up; 65 were taken
  expect(() => limits.take(key, 1)).toThrow(/^key\/rate/);
  now += 200;
  limits.take(key, 1).given(34);
  now += 60_000;
  expect(() => limits.take(key, 1)).toThrow(/^key\/budget: the key \S+ may ask for 100 predictions a day \(UTC\) and has 0 left/);
  expect(limits.toTell(1_000)).toMatchObject([{ used: 100 }]);
});
