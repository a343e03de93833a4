import { createDatabase, type Database, type DatabaseOptions } from '../../stores/database.js';
import { FIRST_ENVIRONMENTS } from '../../stores/environments.js';
import { createStores, type Stores } from '../../stores/index.js';
import { migrate } from '../../stores/migrate.js';
import { useStack } from './use-stack.js';

export interface TestDatabase {
  readonly url: string;
  readonly db: Database;
  readonly stores: Stores;
  /** Another pool on the same database, as another process would have; closed with the rest. */
  another(options?: DatabaseOptions): { db: Database; stores: Stores };
  /** Closes every pool and drops the database. */
  drop(): Promise<void>;
}

/** A new database with the schema of this release and the first environments, `test` and `production`; one for each test file. */
export async function createTestDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const stack = await useStack(['postgres']);
  const database = await stack.createDatabase();
  const open: Database[] = [];
  const another = (more: DatabaseOptions = options) => {
    const db = createDatabase(database.url, { applicationName: 'perennial test', ...more });
    open.push(db);
    return { db, stores: createStores(db) };
  };
  const { db, stores } = another();
  await migrate(db);
  for (const environment of FIRST_ENVIRONMENTS) await stores.environments.ensure(environment);
  return {
    url: database.url, db, stores, another,
    async drop() {
      await Promise.all(open.map((pool) => pool.close()));
      await database.drop();
    },
  };
}
