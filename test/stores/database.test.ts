import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../stores/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let t: TestDatabase;
beforeAll(async () => { t = await createTestDatabase(); });
afterAll(() => t.drop());

/** Ends every session of an application from outside, as a restart of PostgreSQL would. */
const endSessions = (application: string) => t.db.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()', [application]);

describe('database', () => {
  it('a server that is away is a typed error that may be tried again', async () => {
    const url = new URL(t.url);
    url.port = '9';
    const away = createDatabase(url.toString());
    await expect(away.query('select 1')).rejects.toMatchObject({ code: 'database/unavailable', retryable: true });
    await expect(away.transaction(async () => 1)).rejects.toMatchObject({ code: 'database/unavailable' });
    const stop = await away.listen('x', () => undefined);
    await stop();
    await away.close();
    url.port = new URL(t.url).port;
    url.password = 'wrong';
    const refused = createDatabase(url.toString());
    await expect(refused.query('select 1')).rejects.toMatchObject({ code: 'database/unavailable' });
    await refused.close();
  });

  it('what the server says about a statement stays as it is', async () => {
    await expect(t.db.query('select nothing')).rejects.toMatchObject({ code: '42703' });
    const hasty = t.another({ statementTimeoutMs: 100 });
    await expect(hasty.db.query('select pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
  });

  it('a connection that is cut in a transaction is typed, leaves nothing, and the pool goes on', async () => {
    const { db } = t.another({ applicationName: 'cut', max: 2 });
    await t.db.query('create table cut (n integer)');
    await expect(db.transaction(async (tx) => {
      await tx.query('insert into cut values (1)');
      await endSessions('cut');
      await tx.query('insert into cut values (2)');
    })).rejects.toMatchObject({ code: 'database/unavailable' });
    expect(await db.query('select * from cut')).toEqual([]);
  });

  it('a failed transaction leaves nothing, a deadlock is tried again', async () => {
    await t.db.query('create table pair (id integer primary key, n integer not null default 0); insert into pair values (1), (2)');
    await expect(t.db.transaction(async (tx) => {
      await tx.query('update pair set n = 100');
      throw new Error('changed my mind');
    })).rejects.toThrow('changed my mind');
    const inOrder = (ids: readonly number[]) => t.db.transaction(async (tx) => {
      for (const id of ids) {
        await tx.query('update pair set n = n + 1 where id = $1', [id]);
        await tx.query('select pg_sleep(0.05)');
      }
    });
    await Promise.all([inOrder([1, 2]), inOrder([2, 1])]);
    expect(await t.db.query('select id, n from pair order by id')).toEqual([{ id: 1, n: 2 }, { id: 2, n: 2 }]);
  });

  it('who listens hears on after the connection was lost, and is told that it was', async () => {
    const { db } = t.another({ applicationName: 'listening' });
    const heard: string[] = [];
    const stop = await db.listen('news', (payload) => heard.push(payload));
    const also: string[] = [];
    const stopAlso = await db.listen('news', (payload) => also.push(payload));
    await t.db.query("select pg_notify('news', 'one')");
    await expect.poll(() => heard).toEqual(['one']);
    await endSessions('listening');
    await expect.poll(() => heard, { timeout: 5_000 }).toEqual(['one', '']);
    await t.db.query("select pg_notify('news', 'two')");
    await expect.poll(() => heard).toEqual(['one', '', 'two']);
    await stop();
    await t.db.query("select pg_notify('news', 'three')");
    await expect.poll(() => also).toEqual(['one', '', 'two', 'three']);
    await stopAlso();
    expect(heard).toEqual(['one', '', 'two']);
  });

  it('times are ISO strings in UTC whatever the session says, large counts are numbers', async () => {
    const [row] = await t.db.transaction(async (tx) => {
      await tx.query("set local timezone = 'Asia/Kolkata'");
      return tx.query("select '2026-11-21T10:00:00.123456+02:00'::timestamptz as at, count(*) as n, 9007199254740991::bigint as large from generate_series(1, 3)");
    });
    expect(row).toEqual({ at: '2026-11-21T08:00:00.123Z', n: 3, large: Number.MAX_SAFE_INTEGER });
  });
});
