import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { ActivityDeps } from '../../activities/deps.js';
import { PerennialError } from '../../contract/errors.js';
import { ConfigError, loadConfig } from '../../infra/config.js';
import { loadNativeParts } from '../../infra/native.js';
import { createArtifacts } from '../../stores/artifacts.js';
import { createDatabase } from '../../stores/database.js';
import { createStores } from '../../stores/index.js';

/** Never connected to: stands where no address is known, and whoever uses it is told that the part is away. */
const NOWHERE = { database: 'postgresql://127.0.0.1:1/none', s3: { endpoint: 'http://127.0.0.1:1', bucket: 'none', region: 'none', accessKeyId: 'none', secretAccessKey: 'none', forcePathStyle: true }, temporal: '127.0.0.1:1' } as const;

export interface TryDeps { readonly deps: ActivityDeps; /** PostgreSQL's address is known, so labelled predictions can be read. */ readonly hasDatabase: boolean; close(): Promise<void> }

/** The parts that reading data needs. Locations that were given go before those of the registry; with all given, nothing has to run. */
export function createTryDeps(locations: ReadonlyMap<string, string>, scratch: string): TryDeps {
  const config = loadConfig({ need: [] });
  const known = <T>(read: () => T, otherwise: T): { value: T; found: boolean } => {
    try {
      return { value: read(), found: true };
    } catch (error) {
      if (error instanceof ConfigError) return { value: otherwise, found: false };
      throw error;
    }
  };
  const databaseUrl = known<string>(() => config.databaseUrl, NOWHERE.database);
  const database = createDatabase(databaseUrl.value, { max: 4, applicationName: 'perennial try' });
  const stores = createStores(database);
  const at = new Date().toISOString();
  const key = randomUUID();
  const located = async (name: string) => {
    const uri = locations.get(name);
    if (uri !== undefined) return { name, uri, by: 'try', at };
    if (!databaseUrl.found) throw new PerennialError('data/missing', `where the location ${name} is, nobody can be asked: say \`--location ${name}=<folder or s3://…>\`, or run \`perennial up\` and \`perennial location set ${name} <folder or s3://…>\``, { location: name });
    return stores.locations.get(name);
  };
  const connection = Connection.lazy({ address: NOWHERE.temporal });
  return {
    hasDatabase: databaseUrl.found,
    deps: {
      stores: { ...stores, locations: { ...stores.locations, get: located } },
      artifacts: createArtifacts(known<typeof config.s3>(() => config.s3, NOWHERE.s3).value), temporal: new Client({ connection }),
      tfjsNode: loadNativeParts().tfjsNode, scratch, publicUrl: config.publicUrl, mailFrom: config.mailFrom,
      serverToken: () => Promise.reject(new Error('`perennial try` asks no server')),
      sqlConnection: config.sqlConnection,
      // Nothing is stored, so that a key of this try is as good as the real one.
      pseudonymKey: () => Promise.resolve(key),
    },
    async close() {
      await Promise.all([database.close(), connection.close()]);
    },
  };
}
