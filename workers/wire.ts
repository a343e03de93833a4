import { mkdir } from 'node:fs/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.js';
import { loadConfig } from '../infra/config.js';
import type { Config } from '../infra/config.js';
import { loadNativeParts } from '../infra/native.js';
import { pseudonymKey } from '../infra/pseudonym-key.js';
import { createArtifacts } from '../stores/artifacts.js';
import { createDatabase } from '../stores/database.js';
import { createStores } from '../stores/index.js';

export interface Wired { readonly config: Config; readonly deps: ActivityDeps; readonly connection: NativeConnection; close(): Promise<void> }

/** Connects a worker process to the real parts that the configuration names. */
export async function wire(name: string): Promise<Wired> {
  // Only the lifecycle worker sends mails; it reads the mail server's address, which throws where there is none.
  const config = loadConfig({ need: ['temporal', 'postgres', 's3'] });
  const database = createDatabase(config.databaseUrl, { max: 8, applicationName: `perennial ${name}` });
  const stores = createStores(database);
  const connect = connectionOptions(config);
  const clientConnection = await Connection.connect(connect);
  const connection = await NativeConnection.connect(connect);
  const scratch = join(config.home, 'scratch');
  await mkdir(scratch, { recursive: true });
  const deps: ActivityDeps = {
    stores, artifacts: createArtifacts(config.s3), temporal: new Client({ connection: clientConnection, namespace: config.temporal.namespace }),
    tfjsNode: loadNativeParts().tfjsNode, scratch, publicUrl: config.publicUrl, mailFrom: config.mailFrom,
    serverToken: async () => (await readFile(join(config.secretsDir, 'server-token'), 'utf8')).trim(),
    sqlConnection: config.sqlConnection,
    pseudonymKey: () => pseudonymKey(config),
  };
  return {
    config, deps, connection,
    async close() {
      await connection.close();
      await clientConnection.close();
      await database.close();
    },
  };
}

function connectionOptions({ temporal }: Config) {
  return { address: temporal.address, ...(temporal.tls === undefined ? {} : { tls: temporal.tls }), ...(temporal.apiKey === undefined ? {} : { apiKey: temporal.apiKey }) };
}
