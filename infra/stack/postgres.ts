import { execFile } from 'node:child_process';
import { chown, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { endPreviousServer } from './postgres-orphan.js';
import { isThere } from './files.js';
import { prepareDataParent, type UnixUser } from './postgres-user.js';
import { loopback } from './ports.js';
import { bareEnvironment, type Program } from './program.js';

export const postgresPorts = ['postgres'] as const;
export const postgresRole = 'perennial';
export const postgresDatabase = 'perennial';

export interface PostgresOptions {
  /** folder of `initdb` and `postgres` */
  bin: string;
  dataDir: string;
  user: UnixUser | undefined;
  port: number;
  password: string;
  /** false: do not wait for the disk; a killed process still loses nothing, a power cut may lose all. For tests. */
  durable: boolean;
}

/** The address of a database of the embedded server. */
export function postgresUrl(port: number, password: string, database: string = postgresDatabase): string {
  return `postgres://${postgresRole}:${encodeURIComponent(password)}@${loopback}:${port}/${database}`;
}

/** PostgreSQL on loopback: passwords by SCRAM only, no unix sockets, sized for one machine's control data. */
export function postgresProgram(options: PostgresOptions): Program {
  const { bin, dataDir, user, port, password, durable } = options;
  const settings = {
    listen_addresses: loopback, port, unix_socket_directories: '',
    max_connections: 100, shared_buffers: '64MB', maintenance_work_mem: '32MB', max_wal_size: '512MB', min_wal_size: '32MB', wal_recycle: 'off',
    io_workers: 1, max_parallel_workers: 2, max_worker_processes: 4, max_logical_replication_workers: 0, jit: 'off',
    timezone: 'UTC', log_timezone: 'UTC', log_min_messages: 'warning', log_line_prefix: '%m [%p] ',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  return {
    name: 'postgres',
    stage: 0,
    kind: 'service',
    command: join(bin, 'postgres'),
    args: ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: bareEnvironment(dirname(dataDir)),
    cwd: dirname(bin),
    ...(user === undefined ? {} : { user: { uid: user.uid, gid: user.gid } }),
    prepare: async () => {
      await initialise(options);
      await endPreviousServer(dataDir);
    },
    readiness: { kind: 'probe', check: () => answers(postgresUrl(port, password, 'postgres')) },
    afterReady: () => ensureDatabase(port, password),
    readyTimeoutMs: 120_000, // recovery after a crash replays up to max_wal_size
    stopSignal: 'SIGINT', // "fast": ends sessions, writes a checkpoint
    graceMs: 20_000,
  };
}

/** Runs `initdb` beside the final place and renames: a data folder is either complete or not there. */
async function initialise({ bin, dataDir, user, password, durable }: PostgresOptions): Promise<void> {
  const parent = dirname(dataDir);
  await prepareDataParent(parent, user);
  if (await isThere(join(dataDir, 'PG_VERSION'))) return requireSameMajor(bin, dataDir);
  for (const leftover of await readdir(parent)) if (leftover.startsWith('initdb-')) await rm(join(parent, leftover), { recursive: true, force: true });
  const scratch = await mkdtemp(join(parent, 'initdb-'));
  const passwordFile = join(scratch, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) for (const path of [scratch, passwordFile]) await chown(path, user.uid, user.gid);
  const args = [
    '-D', join(scratch, 'data'), '-U', postgresRole, `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
    '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', ...(durable ? [] : ['--no-sync']),
  ];
  await runInitdb(join(bin, 'initdb'), args, scratch, user);
  await rename(join(scratch, 'data'), dataDir);
  await rm(scratch, { recursive: true, force: true });
}

async function runInitdb(initdb: string, args: readonly string[], cwd: string, user: UnixUser | undefined): Promise<void> {
  try {
    await promisify(execFile)(initdb, args, { cwd, env: bareEnvironment(cwd), ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }) });
  } catch (error) {
    const { code, signal, stderr } = error as { code?: number | string; signal?: string; stderr?: string };
    throw new Error(`initdb failed (${signal ?? `code ${code ?? 'unknown'}`}): ${stderr?.trim() || 'it printed nothing'}`, { cause: error });
  }
}

async function requireSameMajor(bin: string, dataDir: string): Promise<void> {
  const ofData = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await promisify(execFile)(join(bin, 'postgres'), ['--version'], { cwd: dirname(bin) });
  const ofPrograms = /(\d+)(\.\d+)?/.exec(stdout)?.[1];
  if (ofPrograms !== ofData) throw new Error(`${dataDir} was written by PostgreSQL ${ofData}, the programs are version ${ofPrograms ?? stdout.trim()}: dump it with the old version and restore it`);
}

async function withClient<T>(connectionString: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 10_000 });
  client.on('error', () => undefined); // the server ending the session is reported by the pending call as well
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function answers(url: string): Promise<boolean> {
  await withClient(url, (client) => client.query('select 1'));
  return true;
}

async function ensureDatabase(port: number, password: string): Promise<void> {
  await withClient(postgresUrl(port, password, 'postgres'), async (client) => {
    const known = await client.query('select 1 from pg_database where datname = $1', [postgresDatabase]);
    if (known.rowCount === 0) await client.query(`create database ${postgresDatabase}`);
  });
}
