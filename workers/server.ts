import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadConfig } from '../infra/config.js';
import { loadNativeParts } from '../infra/native.js';
import { pseudonymKey } from '../infra/pseudonym-key.js';
import { packageRoot } from '../runtime/child/program-path.js';
import { startRunner } from '../runtime/runner/start.js';
import { createCopyThread } from '../serving/log/copy-thread.js';
import type { OnProblem } from '../serving/problem.js';
import { joinReplica, type Replica } from '../serving/replica/http-process.js';
import { startHttpProcesses } from '../serving/replica/http-processes.js';
import { createPackageCache } from '../serving/routing/package-cache.js';
import { createServer } from '../serving/server.js';
import { createArtifacts } from '../stores/artifacts.js';
import { createDatabase } from '../stores/database.js';
import { createFeatureRowsStore } from '../stores/feature-rows.js';
import { createStores } from '../stores/index.js';

/** One replica of an environment's prediction server: `server --environment production --replica 1`. */
const { values } = parseArgs({ options: { environment: { type: 'string' }, replica: { type: 'string', default: '1' } } });
const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, underscore or hyphen, at most 63');
const { environment, replica } = z.object({ environment: Name, replica: Name }).parse(values);

const config = loadConfig({ need: ['postgres', 's3'] });
const listener = config.servers[environment];
const id = `${environment}-${replica}`;
const folder = join(config.home, 'servers', id);
const log: OnProblem = (message, error, of = {}) => {
  const cause = error instanceof Error ? { error: error.message, ...('code' in error ? { code: error.code } : {}) } : error === undefined ? {} : { error: JSON.stringify(error) };
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level: error === undefined ? 'info' : 'error', replica: id, message, ...of, ...cause })}\n`);
};
const database = createDatabase(config.databaseUrl, { max: 6, applicationName: `perennial server ${id}`, statementTimeoutMs: 20_000 });
const artifacts = createArtifacts(config.s3);
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')));

/** Read whenever it is used, so that a new one counts without a restart; nothing of it is kept or logged. */
function secretOf(name: string | null): () => Promise<string | null> {
  return async () => (name === null ? null : (await readFile(join(config.secretsDir, name), 'utf8')).trim());
}

const isOneOfSeveral = config.serverProcesses > 1;
const settings = {
  environment, replica: id, artifacts, tfjsNode: loadNativeParts().tfjsNode, softwareVersion: version, onProblem: log,
  // The first replica has the environment's address; further ones take any port and say in their lease which.
  ...(listener === undefined ? {} : { host: listener.host, ...(replica === '1' ? { port: listener.port, url: listener.url } : {}) }),
};

/** Answers requests: all that the replica is, or one of its HTTP processes. */
async function serve(of?: Replica): Promise<Running> {
  // Look-ups of features have connections of their own: whatever else the server writes, a prediction does not wait behind it.
  const lookups = createDatabase(config.databaseUrl, { max: 4, applicationName: `perennial features ${id}`, statementTimeoutMs: 2_000 });
  const server = await createServer({
    ...settings, database, stores: { ...createStores(database), featureRows: createFeatureRowsStore(lookups) },
    scratch: of === undefined || of.slot === 1 ? folder : join(folder, `process-${of.slot}`), segmentDir: join(folder, 'segments'),
    copier: createCopyThread({ databaseUrl: config.databaseUrl, applicationName: `perennial log ${id}`, events: config.events !== null }),
    ...(config.events ? { events: { url: config.events.url, keepMs: config.events.days * 86_400_000, secret: secretOf(config.events.secretName) } } : {}),
    limits: { drainMs: config.serverDrainMs, arrivalMs: config.serverUploadMs, memoryBytes: config.serverMemoryBytes }, pseudonymKey: () => pseudonymKey(config),
    ...(config.serverTls ? { tls: config.serverTls } : {}), ...(of ? { of } : {}),
  });
  return { ready: server.settled.then(() => server.url), close: (isProbed) => server.close(isProbed).then(() => lookups.close()) };
}

/** Has several HTTP processes answer requests: this very program, forked. */
function serveBySeveral(): Running {
  const threads = Math.max(1, availableParallelism() - config.serverProcesses);
  return startHttpProcesses({
    processes: config.serverProcesses, environment, replica: id, replicas: createStores(database).replicas, onProblem: log,
    packages: createPackageCache(join(folder, 'packages'), artifacts),
    startRunner: (packageDirectory) => startRunner({ packageDirectory, tfjsNode: settings.tfjsNode, threads, shared: true }),
  });
}

interface Running { readonly ready: Promise<string>; close(isProbed?: boolean): Promise<void> }

const replicaOf = cluster.isWorker ? await joinReplica() : null;
const server = isOneOfSeveral && !replicaOf ? serveBySeveral() : await serve(replicaOf ?? undefined);

let stopping: Promise<void> | undefined;
const stop = (isProbed = false): void => {
  stopping ??= server.close(isProbed).then(() => database.close()).then(() => { artifacts.close(); });
  stopping.then(() => process.exit(0), (error: unknown) => { log('the server did not close cleanly', error); process.exit(1); });
};
// An HTTP process stops when its replica says so, whoever else gets the signal.
replicaOf?.onStop(stop);
process.on('SIGTERM', () => { if (!replicaOf) stop(); });
process.on('SIGINT', () => { if (!replicaOf) stop(); });
const url = await server.ready;
if (!replicaOf) {
  process.send?.({ ready: true });
  process.stdout.write(`ready ${url}\n`);
}
