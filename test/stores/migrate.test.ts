import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../stores/database.js';
import { migrate } from '../../stores/migrate.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { uniqueName } from '../support/use-stack.js';

const several = uniqueName('migrate');
const failing = uniqueName('migrate');
let t: TestDatabase;
beforeAll(async () => { t = await createTestDatabase(); });
afterAll(() => t.drop());

describe('migrations', () => {
  it('are applied once, also by several processes at a time', async () => {
    expect(await migrate(t.db)).toEqual([]);
    const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
    const admin = t.db;
    await admin.query(`create database ${several}`);
    const url = new URL(t.url);
    url.pathname = `/${several}`;
    const pools = [1, 2, 3, 4].map(() => createDatabase(url.toString(), { max: 1 }));
    try {
      await writeFile(join(folder, '0001_first.sql'), 'create table first (n integer); insert into first values (1);');
      await writeFile(join(folder, '0002_second.sql'), 'insert into first values (2);');
      const applied = await Promise.all(pools.map((pool) => migrate(pool, folder)));
      expect(applied.flat().sort()).toEqual(['0001_first.sql', '0002_second.sql']);
      expect(await pools[0]?.query('select n from first order by n')).toEqual([{ n: 1 }, { n: 2 }]);

      await writeFile(join(folder, '0002_second.sql'), 'insert into first values (3);');
      await expect(migrate(pools[0] ?? admin, folder)).rejects.toThrow(/0002_second\.sql was changed after it was applied/);
      await rm(join(folder, '0002_second.sql'));
      await expect(migrate(pools[0] ?? admin, folder)).rejects.toThrow(/0002_second\.sql, which this release does not know/);
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
      await admin.query(`drop database ${several} with (force)`);
      await rm(folder, { recursive: true });
    }
  });

  it('leave nothing of a file that fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
    await t.db.query(`create database ${failing}`);
    const url = new URL(t.url);
    url.pathname = `/${failing}`;
    const db = createDatabase(url.toString());
    try {
      await writeFile(join(folder, '0001_half.sql'), 'create table half (n integer); select 1 / 0;');
      await expect(migrate(db, folder)).rejects.toThrow(/division by zero/);
      expect(await db.query("select to_regclass('half') as half")).toEqual([{ half: null }]);
      await writeFile(join(folder, '0001_half.sql'), 'create table half (n integer);');
      expect(await migrate(db, folder)).toEqual(['0001_half.sql']);
    } finally {
      await db.close();
      await t.db.query(`drop database ${failing} with (force)`);
      await rm(folder, { recursive: true });
    }
  });
});
