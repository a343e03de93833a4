import { Client, Connection } from '@temporalio/client';
import { createGateway } from '../gateway/app.js';
import { loadConfig } from '../infra/config.js';
import { openTls } from '../serving/http/tls.js';
import { createArtifacts } from '../stores/artifacts.js';
import { createDatabase } from '../stores/database.js';
import { createStores } from '../stores/index.js';

/** The control API. Starts whatever is away: it says so in its answers. */
const config = loadConfig({ need: ['temporal', 'postgres', 's3'] });
const { temporal } = config;
const database = createDatabase(config.databaseUrl, { max: 10, applicationName: 'perennial gateway', statementTimeoutMs: 4_000 });
const connection = Connection.lazy({
  address: temporal.address, ...(temporal.tls === undefined ? {} : { tls: temporal.tls }), ...(temporal.apiKey === undefined ? {} : { apiKey: temporal.apiKey }),
  connectTimeout: '4s',
  // A server that comes back is found within seconds, not within gRPC's two minutes.
  channelArgs: { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.min_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 2_000 },
});
const log = (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), message, ...fields })}\n`);
};

const tls = config.gatewayTls ? await openTls(config.gatewayTls, { onProblem: (message, error) => { log(message, error instanceof Error ? { error: error.message } : {}); } }) : null;
const gateway = await createGateway({
  config: { host: config.gateway.host, port: config.gateway.port, publicUrl: config.publicUrl, secretsDir: config.secretsDir },
  stores: createStores(database), artifacts: createArtifacts(config.s3), temporal: new Client({ connection, namespace: temporal.namespace }),
  listen: (channel, handler) => database.listen(channel, handler), log, tls,
});

let stopping: Promise<void> | undefined;
const stop = (): void => {
  tls?.close();
  stopping ??= gateway.close().then(() => database.close()).then(() => connection.close());
  stopping.then(() => process.exit(0), (error: unknown) => { log('the gateway did not close cleanly', { error: String(error) }); process.exit(1); });
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.send?.({ ready: true });
process.stdout.write(`ready ${gateway.url}\n`);
