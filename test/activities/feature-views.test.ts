import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createProxy } from '../gateway/proxy.js';
import type { Proxy } from '../gateway/proxy.js';
import { createDataStack, query } from './support/data.js';
import type { DataStack } from './support/data.js';
import { useFeatures } from './support/features.js';
import type { ViewParts } from './support/features.js';

let stack: DataStack;
let features: ReturnType<typeof useFeatures>;
let proxy: Proxy;
let warehouse: pg.Client;

beforeAll(async () => {
  stack = await createDataStack();
  features = useFeatures(stack);
  const direct = new URL(stack.databaseUrl);
  proxy = await createProxy(direct.hostname, Number(direct.port));
  warehouse = new pg.Client(stack.databaseUrl);
  await warehouse.connect();
  await warehouse.query('create schema shop');
  const through = new URL(stack.databaseUrl);
  through.port = String(proxy.port);
  stack.warehouse.url = through.toString();
});
beforeEach(async () => {
  proxy.restore();
  await warehouse.query('drop table if exists shop.visits; create table shop.visits (customer text, at timestamptz, n float8, noted timestamptz)');
});
afterAll(async () => {
  await warehouse.end();
  await stack.close();
  await proxy.close();
});

const sql = (text = 'select customer, at, n from shop.visits'): ViewParts['source'] => ({ kind: 'sql', connection: 'warehouse', query: text });
const visit = (customer: string, at: string, n: number | null, noted: string | null = null) => warehouse.query('insert into shop.visits values ($1, $2, $3, $4)', [customer, at, n, noted]);
const day = (date: number, time = '00:00:00') => `2026-10-${String(date).padStart(2, '0')}T${time}Z`;
const KNOWN = 'customer, event_time::varchar as event_time, known_time::varchar as known_time, n';

describe('materialising a view', () => {
  it('stores what is new, once, and the newest row of each key in PostgreSQL', async () => {
    const view = await features.define({ source: sql() });
    await visit('ada', day(1), 1);
    await visit('ada', day(3), 3);
    await visit('bob', day(2), 2);
    expect(await view.materialise(day(4))).toMatchObject({ rowsRead: 3, rowsAdded: 3, rows: 3 });
    const first = await view.stored();
    expect(await view.materialise(day(5))).toMatchObject({ rowsRead: 1, rowsAdded: 0, rows: 3 });
    expect(await view.stored()).toEqual(first);
    expect(await view.materialise(day(5), { full: true })).toMatchObject({ rowsRead: 3, rowsAdded: 0 });
    expect([await view.online('ada'), await view.online('bob'), await view.online('eve')]).toEqual([{ cells: [3], at: '2026-10-03T00:00:00.000Z' }, { cells: [2], at: '2026-10-02T00:00:00.000Z' }, null]);
    expect(await stack.stores.featureStores.get(view.view.name, view.digest)).toMatchObject({ generation: 3, rows: 3, asOf: '2026-10-05T00:00:00.000Z' });
    await visit('ada', day(6), 6);
    expect(await view.materialise(day(7))).toMatchObject({ rowsAdded: 1, rows: 4 });
    expect((await view.rows('n')).map(({ n }) => n)).toEqual([1, 2, 3, 6]);
    expect(await view.online('ada')).toMatchObject({ cells: [6] });
  });

  it('rows that come late, and rows that are corrected, are known since they were seen; neither takes the place of a newer event', async () => {
    const view = await features.define({ source: sql(), overlap: '10d' });
    await visit('ada', day(3), 3);
    await view.materialise(day(4));
    await visit('ada', day(2), 2);
    await visit('bob', day(5), 5);
    await view.materialise(day(6));
    await warehouse.query(`update shop.visits set n = 33 where n = 3`);
    await view.materialise(day(7));
    await view.materialise(day(8));
    expect(await view.rows(KNOWN)).toEqual([
      { customer: 'ada', event_time: '2026-10-02 00:00:00', known_time: '2026-10-06 00:00:00', n: 2 },
      { customer: 'ada', event_time: '2026-10-03 00:00:00', known_time: '2026-10-03 00:00:00', n: 3 },
      { customer: 'ada', event_time: '2026-10-03 00:00:00', known_time: '2026-10-07 00:00:00', n: 33 },
      { customer: 'bob', event_time: '2026-10-05 00:00:00', known_time: '2026-10-05 00:00:00', n: 5 },
    ]);
    expect(await view.online('ada')).toEqual({ cells: [33], at: '2026-10-03T00:00:00.000Z' });
  });

  it('takes the time at which a row was written from the source, where the view names it', async () => {
    const view = await features.define({ source: sql('select * from shop.visits'), created: 'noted' });
    await visit('ada', day(1), 1, day(1, '06:00:00'));
    await visit('ada', day(1), 2, day(3));
    await visit('ada', day(2), 9, day(20));
    await view.materialise(day(4));
    expect(await view.rows(KNOWN)).toMatchObject([{ known_time: '2026-10-01 06:00:00', n: 1 }, { known_time: '2026-10-03 00:00:00', n: 2 }]);
    expect(await view.materialise(day(5), { full: true })).toMatchObject({ rowsAdded: 0 });
    expect(await view.materialise(day(21), { full: true })).toMatchObject({ rowsAdded: 1 });
  });

  it('rows of the future wait for their time', async () => {
    const view = await features.define({ source: sql() });
    await visit('ada', day(1), 1);
    await visit('ada', day(9), 9);
    expect(await view.materialise(day(4))).toMatchObject({ rowsAdded: 1 });
    expect(await view.online('ada')).toMatchObject({ cells: [1] });
    expect(await view.materialise(day(9))).toMatchObject({ rowsAdded: 1 });
    expect((await view.rows(KNOWN))[1]).toMatchObject({ known_time: '2026-10-09 00:00:00' });
  });

  it('two at once, and one that died before its end, leave each row once', async () => {
    const view = await features.define({ source: sql() });
    await warehouse.query(`insert into shop.visits select 'c-' || i % 50, timestamptz '2026-10-01Z' + i * interval '1 minute', i from generate_series(1, 3000) i`);
    const stop = new AbortController();
    const dying = view.materialise(day(10), { signal: stop.signal }).then(() => 'ended', () => 'died');
    stop.abort(new Error('the worker is stopped'));
    expect(await dying).toBe('died');
    expect(await view.stored()).toBeNull();
    await Promise.all([view.materialise(day(10)), view.materialise(day(11))]);
    expect(await view.rows('count(*)::int as n, count(distinct (customer, event_time))::int as distinct')).toEqual([{ n: 3000, distinct: 3000 }]);
    expect(await stack.stores.featureRows.count(view.view.name, view.digest)).toBe(50);
  });

  it('one that ends at any of its writes is made up for by the next try, to the same content', async () => {
    const { stores, artifacts } = stack;
    const writes = [[artifacts, 'putBlob'], [stores.featureRows, 'upsert'], [stores.featureStores, 'commit']] as const;
    const whole = await features.define({ source: sql(), overlap: '30d' });
    const broken = await Promise.all(writes.flatMap((write) => ['before', 'after'].map(async (when) => ({ write, when, view: await features.define({ source: sql(), overlap: '30d' }) }))));
    for (const [asOf, late] of [[day(4), day(1)], [day(9), day(2)]] as const) {
      await visit('ada', late, 1);
      await visit('bob', asOf, 7);
      await whole.materialise(asOf);
      for (const { write: [owner, name], when, view } of broken) {
        const held = owner as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
        const real = held[name];
        if (!real) throw new Error(`there is no ${name}`);
        held[name] = async (...given) => {
          if (when === 'after') await real(...given);
          throw new Error('the worker died');
        };
        try {
          await expect(view.materialise(asOf, { id: `try-${asOf}` })).rejects.toThrow('the worker died');
        } finally {
          held[name] = real;
        }
        await view.materialise(asOf, { id: `try-${asOf}` });
        expect([await view.rows(KNOWN), await view.online('ada'), await view.online('bob')], `${when} ${name}`).toEqual([await whole.rows(KNOWN), await whole.online('ada'), await whole.online('bob')]);
        expect(await stores.featureStores.run(view.view.name, `try-${asOf}`)).toMatchObject([{ status: 'done' }]);
      }
    }
    expect(await whole.rows('count(*)::int as n')).toEqual([{ n: 4 }]);
  });

  it('few files hold many materialisations, in order, and equal rows are equal files', async () => {
    const views = [await features.define({ source: sql() }), await features.define({ source: sql() })];
    for (let date = 1; date <= 9; date += 1) {
      await warehouse.query(`insert into shop.visits select 'c-' || i, $1::timestamptz, i from generate_series(1, 5) i`, [day(date)]);
      for (const view of views) await view.materialise(day(date, '12:00:00'));
    }
    const [one, two] = await Promise.all(views.map((view) => view.stored()));
    expect(one?.files.length).toBeLessThanOrEqual(4);
    expect(one?.files).toEqual(two?.files);
    expect(one?.rows).toBe(45);
  });

  it('reads Parquet files; times with a zone, to the nanosecond and as dates are instants; keys may be of several columns', async () => {
    const place = await stack.locate();
    await query(`copy (select 7::bigint as shop, 'x' as item, timestamptz '2026-10-01 12:00:00+05:30' as at, timestamp_ns '2026-10-01 07:00:00.000000001' as noted, 9007199254740993 as big, true as flag, -0.0::double as zero, null::varchar as said)
      to '${join(place.root, 'a.parquet')}' (format parquet)`);
    const view = await features.define({
      source: { kind: 'parquet', location: place.name, path: '*.parquet' }, created: 'noted', entity: [{ name: 'shop', type: 'number' }, { name: 'item', type: 'text' }],
      columns: [{ name: 'big', type: 'text' }, { name: 'flag', type: 'boolean' }, 'zero', { name: 'said', type: 'text', nullable: true }],
    });
    expect(await view.materialise(day(4))).toMatchObject({ rowsAdded: 1 });
    expect(await view.rows('event_time::varchar as e, known_time::varchar as k, big, flag, zero, said')).toEqual([{ e: '2026-10-01 06:30:00', k: '2026-10-01 07:00:00.000001', big: '9007199254740993', flag: true, zero: 0, said: null }]);
    expect(await view.online(7, 'x')).toEqual({ cells: ['9007199254740993', true, 0, null], at: '2026-10-01T06:30:00.000Z' });
  });
});

describe('what cannot be stored', () => {
  const refusal = async (parts: Partial<ViewParts> & { source: ViewParts['source'] }) => {
    const view = await features.define(parts);
    const error: unknown = await view.materialise(day(20)).then(() => null, (reason: unknown) => reason);
    expect(await view.stored()).toBeNull();
    return error;
  };

  it('is named: a refused query, a missing column, a row without key or time, infinity, two rows that differ', async () => {
    await visit('ada', day(1), 1);
    await visit('ada', day(1), 2);
    expect(await refusal({ source: sql('select customer, at, wrong from shop.visits') })).toMatchObject({ code: 'features/blocked', retryable: false, message: expect.stringContaining('PostgreSQL refuses the query: column "wrong" does not exist at character 22 (42703)') as string });
    expect(await refusal({ source: sql('select customer, at from shop.visits -- all;') })).toMatchObject({ message: expect.stringMatching(/sql warehouse has no column n; it has customer, at/) as string });
    expect(await refusal({ source: sql() })).toMatchObject({ code: 'features/blocked', message: expect.stringMatching(/rows of one key and event time have to be alike: warehouse row 1 and warehouse row 2/) as string });
    expect(await refusal({ source: sql('select customer, null::timestamptz as at, n from shop.visits') })).toMatchObject({ message: expect.stringMatching(/the event time at has to be a time .*; 2 rows are not: warehouse row 1, warehouse row 2/) as string });
    expect(await refusal({ source: sql('select null as customer, at, n from shop.visits limit 1') })).toMatchObject({ message: expect.stringMatching(/the key column customer has to be text; 1 row is not/) as string });
    expect(await refusal({ source: sql(`select customer, at, 'infinity'::float8 as n from shop.visits limit 1`), columns: [{ name: 'n', type: 'number', nullable: true }] })).toMatchObject({ message: expect.stringMatching(/the column n has to be a finite number, or null; 1 row is not/) as string });
    expect(await refusal({ source: sql(`select customer, at, 'NaN'::float8 as n from shop.visits limit 1`) })).toMatchObject({ message: expect.stringMatching(/the column n has to be a finite number; 1 row is not/) as string });
    expect(await refusal({ source: sql('select customer, at, n from shop.visits'), columns: [{ name: 'n', type: 'time' }] })).toMatchObject({ message: expect.stringMatching(/the column n has to be a time/) as string });
    expect(await refusal({ source: { kind: 'parquet', location: 'nowhere', path: 'x' } })).toMatchObject({ message: expect.stringMatching(/the location nowhere is not set/) as string });
  });

  it('a server that goes away half way is waited for, and nothing of its rows is seen', async () => {
    await warehouse.query(`insert into shop.visits select 'c-' || i, timestamptz '2026-10-01Z' + i * interval '1 s', i from generate_series(1, 12000) i`);
    const view = await features.define({ source: sql(`select customer, at, n from shop.visits where n < 9000 or pg_sleep(30) is not null`) });
    const reading = view.materialise(day(20));
    await expect.poll(async () => (await warehouse.query('select 1 from pg_stat_activity where wait_event = \'PgSleep\'')).rowCount, { timeout: 30_000 }).toBe(1);
    proxy.cut();
    await expect(reading).rejects.toMatchObject({ code: 'source/unavailable', retryable: true });
    expect([await view.stored(), await stack.stores.featureRows.count(view.view.name, view.digest)]).toEqual([null, 0]);
    await warehouse.query('select pg_terminate_backend(pid) from pg_stat_activity where wait_event = \'PgSleep\'');
  });
});
