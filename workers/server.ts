import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadConfig } from '../infra/config.js';
import { loadNativeParts } from '../infra/native.js';
import { pseudonymKey } from '../infra/pseudonym-key.js';
import { packageRoot } from '../runtime/child/program-path.js';
import { createCopyThread } from '../serving/log/copy-thread.js';
import type { OnProblem } from '../serving/problem.js';
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
// Look-ups of features have connections of their own: whatever else the server writes, a prediction does not wait behind it.
const lookups = createDatabase(config.databaseUrl, { max: 4, applicationName: `perennial features ${id}`, statementTimeoutMs: 2_000 });
const artifacts = createArtifacts(config.s3);
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')));

/** Read whenever it is used, so that a new one counts without a restart; nothing of it is kept or logged. */
function secretOf(name: string | null): () => Promise<string | null> {
  return async () => (name === null ? null : (await readFile(join(config.secretsDir, name), 'utf8')).trim());
}

const server = await createServer({
  environment, replica: id, database, stores: { ...createStores(database), featureRows: createFeatureRowsStore(lookups) }, artifacts, tfjsNode: loadNativeParts().tfjsNode,
  scratch: folder, segmentDir: join(folder, 'segments'), copier: createCopyThread({ databaseUrl: config.databaseUrl, applicationName: `perennial log ${id}`, events: config.events !== null }), softwareVersion: version, onProblem: log, limits: { drainMs: config.serverDrainMs, memoryBytes: config.serverMemoryBytes }, pseudonymKey: () => pseudonymKey(config),
  ...(config.events ? { events: { url: config.events.url, keepMs: config.events.days * 86_400_000, secret: secretOf(config.events.secretName) } } : {}),
  ...(config.serverTls ? { tls: config.serverTls } : {}),
  // The first replica has the environment's address; further ones take any port and say in their lease which.
  ...(listener === undefined ? {} : { host: listener.host, ...(replica === '1' ? { port: listener.port, url: listener.url } : {}) }),
});

let stopping: Promise<void> | undefined;
const stop = (): void => {
  stopping ??= server.close().then(() => Promise.all([database.close(), lookups.close()])).then(() => { artifacts.close(); });
  stopping.then(() => process.exit(0), (error: unknown) => { log('the server did not close cleanly', error); process.exit(1); });
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
await server.settled;
process.send?.({ ready: true });
process.stdout.write(`ready ${server.url}\n`);
