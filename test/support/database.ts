import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createDatabase, type Database, type DatabaseOptions } from '../../stores/database.js';
import { createStores, type Stores } from '../../stores/index.js';
import { migrate } from '../../stores/migrate.js';

export interface TestDatabase {
  readonly url: string;
  readonly db: Database;
  readonly stores: Stores;
  /** Another pool on the same database, as another process would have; closed with the rest. */
  another(options?: DatabaseOptions): { db: Database; stores: Stores };
  /** Closes every pool and drops the database. */
  drop(): Promise<void>;
}

/** PostgreSQL's address, with a role that may create databases. */
export function databaseUrl(): string {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL is not set: run the tests with `npm test`, which starts PostgreSQL');
  return url;
}

async function asAdmin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A new database with the schema of this release and the environments `test` and `production`; one for each test file. */
export async function createTestDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await asAdmin(`create database ${name}`);
  const address = new URL(databaseUrl());
  address.pathname = `/${name}`;
  const url = address.toString();
  const open: Database[] = [];
  const another = (more: DatabaseOptions = options) => {
    const db = createDatabase(url, { applicationName: 'perennial test', ...more });
    open.push(db);
    return { db, stores: createStores(db) };
  };
  const { db, stores } = another();
  await migrate(db);
  for (const environment of ['test', 'production']) await stores.environments.ensure(environment);
  return {
    url, db, stores, another,
    async drop() {
      await Promise.all(open.map((pool) => pool.close()));
      await asAdmin(`drop database if exists ${name} with (force)`);
    },
  };
}
