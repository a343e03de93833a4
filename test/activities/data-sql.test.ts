import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { createProxy } from '../gateway/proxy.js';
import type { Proxy } from '../gateway/proxy.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
let proxy: Proxy;
let warehouse: pg.Client;
const PASSWORD = 'a-password-nobody-sees';

beforeAll(async () => {
  stack = await createDataStack();
  const direct = new URL(stack.databaseUrl);
  proxy = await createProxy(direct.hostname, Number(direct.port));
  warehouse = new pg.Client(stack.databaseUrl);
  await warehouse.connect();
  await warehouse.query(`create schema shop;
    create table shop.contracts as select 'c-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, sin(i) as n from generate_series(1, 12000) i;
    create table shop.ends_at (row integer)`);
});
beforeEach(() => {
  const through = new URL(stack.databaseUrl);
  through.port = String(proxy.port);
  stack.warehouse.url = through.toString();
  proxy.restore();
});
afterAll(async () => {
  await warehouse.end();
  await stack.close();
  await proxy.close();
});

type Table = Extract<Data, { kind: 'table' }>;
const asked = (sql: string, more: Partial<Table> = {}, timeout?: string): Table => ({
  kind: 'table', columns: ['n'], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 },
  sources: [{ kind: 'sql', connection: 'warehouse', query: sql, key: 'id', split: { byKey: { train: 0.7, test: 0.3 } }, ...(timeout === undefined ? {} : { timeout }) }],
  ...more,
});
const ALL = 'select id, outcome, n from shop.contracts';

async function rowsOf(digest: string, sql: string) {
  const { localShards } = await openSnapshot(stack.deps, digest);
  return query(sql.replace('ROWS', `read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}])`));
}

describe('a query as a source', () => {
  it('gives the same snapshot whatever the order of its rows, and another one when they change', async () => {
    const { build, model } = await stack.define(asked(`${ALL} order by id`));
    const first = await build();
    expect(first).toMatchObject({ blocked: false, rows: 12_000, report: { findings: [] } });
    expect(await (await stack.define(asked(`${ALL} order by n desc`), model)).build()).toMatchObject({ digest: first.digest, reused: true });
    await warehouse.query('update shop.contracts set n = 2 where id = \'c-7\'');
    expect((await build()).digest).not.toBe(first.digest);
  });

  it('keeps every digit: numeric, bigint, real, text, booleans, times with and without a zone, and what is missing', async () => {
    const columns: Table['columns'] = [
      'd', 'r', { name: 'big', type: 'text' }, { name: 'exact', type: 'text' }, { name: 'flag', type: 'boolean' }, { name: 'at', type: 'time' }, { name: 'local', type: 'time' },
      { name: 'day', type: 'time' }, { name: 'said', type: 'text', nullable: true }, { name: 'gone', type: 'number', nullable: true },
    ];
    const { build } = await stack.define(asked(`select 9007199254740993 - i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, (0.1 + i)::numeric(20, 10) as d, 0.1::real as r,
      9007199254740993::bigint as big, 12345678901234567890.10::numeric as exact, i % 2 = 0 as flag, timestamptz '2026-03-29 02:30:00.123+05:30' as at, timestamp '2026-01-31 08:00' as local, date '2026-02-28' as day,
      case when i = 0 then '' when i = 1 then E'quote \\' and\\nline, ü' end as said, case when i = 0 then null else i end as gone from generate_series(0, 19) i`, { columns }));
    const built = await build();
    expect(built.report.findings.filter(({ check }) => check !== 'target-leak')).toEqual([]);
    const rows = await rowsOf(built.digest, 'select * exclude (split, label, attributes) from ROWS order by key desc limit 2');
    expect(rows[0]).toEqual({
      key: '9007199254740993', d: 0.1, r: Math.fround(0.1), big: '9007199254740993', exact: '12345678901234567890.10', flag: true,
      at: '2026-03-28T21:00:00.123Z', local: '2026-01-31T08:00:00.000Z', day: '2026-02-28T00:00:00.000Z', said: '', gone: null,
    });
    expect(rows[1]).toMatchObject({ key: '9007199254740992', d: 1.1, flag: false, said: 'quote \' and\nline, ü', gone: 1 });
  });

  it('names rows whose values do not fit, and columns that are missing', async () => {
    const bad = await stack.define(asked('select id, outcome, case id when \'c-2\' then \'NaN\'::float8 else n end as n from shop.contracts order by length(id), id limit 50'));
    expect((await bad.build()).report.findings).toEqual([expect.objectContaining({ check: 'not-a-number', severity: 'block', rows: ['c-2 (warehouse row 2)'] })]);
    const lacking = await stack.define(asked('select id, n from shop.contracts limit 0'));
    expect((await lacking.build()).report.findings).toContainEqual(expect.objectContaining({ check: 'wrong-shape', message: 'columns are missing: outcome', rows: ['sql warehouse'] }));
  });
});

describe('a database that goes away', () => {
  it.each([
    ['ends the session half way', `select id, outcome, n, case when exists (select 1 from shop.ends_at where id = 'c-9000') then pg_terminate_backend(pg_backend_pid())::text end from shop.contracts`, 'the database of the connection warehouse ended the query (57P01)'],
    ['loses the connection half way', `select id, outcome, n, case when id in ('c-6000', 'c-9000') and exists (select 1 from shop.ends_at) then pg_sleep(30)::text end from shop.contracts`, 'the database of the connection warehouse did not answer (the connection ended)'],
  ])('and %s is waited for; no part of a snapshot is seen, and a second try has all rows', async (what, sql, message) => {
    await warehouse.query('insert into shop.ends_at values (1)');
    const { build, model } = await stack.define(asked(sql));
    const building = build();
    if (what.startsWith('loses')) {
      const asleep = async () => (await warehouse.query('select 1 from pg_stat_activity where wait_event = \'PgSleep\'')).rowCount;
      await expect.poll(asleep, { timeout: 30_000 }).toBe(1);
      proxy.cut();
    }
    await expect(building).rejects.toMatchObject({ code: 'source/unavailable', retryable: true, message });
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    await warehouse.query('delete from shop.ends_at');
    proxy.restore();
    expect(await build()).toMatchObject({ blocked: false, rows: 12_000 });
  });

  it('before anything is asked is waited for too; its address and password are in no message', async () => {
    const { build } = await stack.define(asked(ALL));
    proxy.cut();
    const away: unknown = await build().catch((error: unknown) => error);
    expect(away).toMatchObject({ code: 'source/unavailable', retryable: true });
    const secret = new URL(stack.warehouse.url);
    secret.password = PASSWORD;
    secret.port = new URL(stack.databaseUrl).port;
    secret.pathname = '/no-such-database';
    stack.warehouse.url = secret.toString();
    const refused = await build();
    expect(refused).toMatchObject({ blocked: true, report: { findings: [{ check: 'source-failed', severity: 'block', rows: ['sql warehouse'] }, {}, {}, {}] } });
    for (const text of [JSON.stringify(refused), String(away), JSON.stringify(away)]) for (const hidden of [PASSWORD, secret.username, secret.port]) expect(text).not.toContain(hidden);
  });
});

describe('a query that PostgreSQL refuses', () => {
  const refusal = async (data: Table) => (await (await stack.define(data)).build()).report.findings[0];

  it('blocks with PostgreSQL\'s own words and the place', async () => {
    expect(await refusal(asked('select id, outcome, wrong from shop.contracts'))).toMatchObject({ check: 'source-failed', severity: 'block', message: 'PostgreSQL refuses the query: column "wrong" does not exist at character 21 (42703)', rows: ['sql warehouse'] });
    expect((await refusal(asked('select id, outcome, 1 / (n - n) as n from shop.contracts')))?.message).toBe('PostgreSQL refuses the query: division by zero (22012)');
  });

  it('blocks when it would write, is several statements, gives one name twice or nothing, or takes too long', async () => {
    expect((await refusal(asked('delete from shop.contracts returning id, outcome, n')))?.message).toContain('cannot execute DELETE in a read-only transaction');
    expect((await refusal(asked('select 1; drop table shop.contracts')))?.message).toContain('cannot insert multiple commands into a prepared statement');
    expect((await refusal(asked('select id, outcome, n, n from shop.contracts')))?.message).toBe('the query gives the column n twice: name them with `as`');
    expect((await refusal(asked('set local timezone = \'UTC\'')))?.message).toBe('the query gives no columns: it has to be a select');
    expect((await refusal(asked(`select id, outcome, n, pg_sleep(60) from shop.contracts`, {}, '300ms')))?.message).toMatch(/took longer than its `timeout`/);
    const unknown = asked(ALL);
    unknown.sources = [{ kind: 'sql', connection: 'lake-house', query: ALL, key: 'id', split: 'train' }];
    expect((await refusal(unknown))?.message).toBe('the connection lake-house is not set: PERENNIAL_SQL_LAKE_HOUSE in the environment of the compute worker');
  });
});
