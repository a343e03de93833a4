import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateMultipartUploadCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { createTransport } from 'nodemailer';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig, type Config } from '../../infra/config.js';
import { homeLayout } from '../../infra/stack/home.js';
import { stackParts } from '../../infra/stack/stack.js';
import { loadStackFile } from '../../infra/stack/state.js';
import { down } from '../../infra/supervisor/down.js';
import { residentBytes } from '../../infra/supervisor/identity.js';
import { readStatus } from '../../infra/supervisor/read-status.js';
import type { ProgramStatus } from '../../infra/supervisor/status.js';
import { startSupervisor } from '../../infra/supervisor/supervisor.js';
import { up } from '../../infra/supervisor/up.js';
import { until } from '../support/until.js';

let home = '';
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|AWS|S3|SMTP|DATABASE|PERENNIAL_(?!CACHE))/.test(name)));
const start = () => up({ home, detach: true, only: stackParts, env });
const config = (): Config => loadConfig({ env: { PERENNIAL_HOME: home } });

async function program(name: string): Promise<ProgramStatus> {
  const found = (await readStatus(home)).status?.programs.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${name} is not in the status`);
  return found;
}

async function withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: config().databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function withS3<T>(use: (client: S3Client, bucket: string) => Promise<T>): Promise<T> {
  const { s3 } = config();
  const client = new S3Client({ ...s3, credentials: s3 });
  try {
    return await use(client, s3.bucket);
  } finally {
    client.destroy();
  }
}

/** What `remember` wrote, read back from the parts as they run now. */
async function recall(): Promise<{ row: string | undefined; object: string | undefined; workflow: string }> {
  const row = await withClient(async (client) => (await client.query<{ word: string }>('select word from kept')).rows[0]?.word);
  const object = await withS3(async (client, bucket) => (await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'kept' }))).Body?.transformToString());
  const connection = await Connection.connect(config().temporal);
  const workflow = await new Client({ connection, namespace: config().temporal.namespace }).workflow.getHandle('kept').describe();
  await connection.close();
  return { row, object, workflow: workflow.status.name };
}

async function remember(): Promise<void> {
  await withClient((client) => client.query("create table kept as select 'a word' as word"));
  await withS3((client, bucket) => client.send(new PutObjectCommand({ Bucket: bucket, Key: 'kept', Body: 'an object' })));
  const connection = await Connection.connect(config().temporal);
  await new Client({ connection, namespace: config().temporal.namespace }).workflow.start('nobodyRunsThis', { workflowId: 'kept', taskQueue: 'none' });
  await connection.close();
}

const kept = { row: 'a word', object: 'an object', workflow: 'RUNNING' };

/** Addresses on which a process listens, from the kernel's tables (proc(5)): hexadecimal there, in the machine's byte order. */
async function listeners(pid: number): Promise<string[]> {
  const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const rows = tables.join('\n').split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , , state, , , , , , inode]) => state === '0A' && links.includes(`socket:[${inode}]`)).map(([, local = '']) => local.slice(0, local.indexOf(':')));
}

const loopbackInTable = '0100007F';

beforeAll(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'perennial-stack-')), '.perennial');
  await start();
  await remember();
});

afterAll(async () => {
  await down({ home });
  const { postgresDataDir } = await loadStackFile(homeLayout(home).stackFile);
  if (postgresDataDir !== undefined) await rm(dirname(postgresDataDir), { recursive: true, force: true });
  await rm(dirname(home), { recursive: true, force: true });
});

describe('the embedded stack', () => {
  test('keeps secrets and addresses from other users', async () => {
    const layout = homeLayout(home);
    for (const folder of [layout.dir, layout.secretsDir, layout.logsDir, layout.mailDir, layout.dataDir]) expect((await stat(folder)).mode & 0o777, folder).toBe(0o700);
    const secrets = await readdir(layout.secretsDir);
    expect(secrets).toContain('postgres-password');
    for (const file of [...secrets.map((name) => join(layout.secretsDir, name)), layout.stackFile, layout.pidsFile]) expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    const commandLines = await Promise.all(stackParts.map(async (name) => readFile(`/proc/${(await program(name)).pid}/cmdline`, 'utf8')));
    for (const secret of secrets) expect(commandLines.join(' ')).not.toContain((await readFile(join(layout.secretsDir, secret), 'utf8')).trim());
  });

  test('listens on loopback only', async () => {
    for (const name of stackParts) {
      const addresses = await listeners((await program(name)).pid ?? 0);
      expect(addresses.length, name).toBeGreaterThan(0);
      expect(new Set(addresses), name).toEqual(new Set([loopbackInTable]));
    }
  });

  test('stays below 600 MB when idle', async () => {
    const { status } = await readStatus(home);
    const pids = [status?.pid, ...(status?.programs ?? []).map(({ pid }) => pid)];
    expect(pids.reduce<number>((sum, pid) => sum + residentBytes(pid ?? 0), 0)).toBeLessThan(600 * 1024 * 1024);
  });

  test('refuses a wrong password and wrong keys', async () => {
    const address = new URL(config().databaseUrl);
    address.password = 'wrong';
    await expect(new pg.Client({ connectionString: address.href }).connect()).rejects.toThrow(/password authentication failed/);
    const { s3 } = config();
    const stranger = new S3Client({ ...s3, credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: 'wrong' } });
    await expect(stranger.send(new CreateMultipartUploadCommand({ Bucket: s3.bucket, Key: 'x' }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    stranger.destroy();
    const { ports } = await loadStackFile(homeLayout(home).stackFile);
    expect((await fetch(`http://127.0.0.1:${ports['s3']?.['filer']}/buckets/${s3.bucket}/kept`)).status).toBe(401);
  });

  test('keeps a mail that is sent twice as one file', async () => {
    const transport = createTransport(config().smtpUrl);
    for (const text of ['first', 'second']) await transport.sendMail({ from: 'a@localhost', to: 'b@localhost', subject: 'Approve', text, messageId: '<approve-1@perennial>' });
    await transport.sendMail({ from: 'a@localhost', to: 'b@localhost', subject: 'Other', text: 'Grüße', messageId: '<approve-2@perennial>' });
    transport.close();
    const mails = (await readdir(homeLayout(home).mailDir)).sort();
    expect(mails.map((name) => name.replace(/^[^_]+_/, ''))).toEqual(['approve-1@perennial.eml', 'approve-2@perennial.eml']);
    expect(await readFile(join(homeLayout(home).mailDir, mails[0] ?? ''), 'utf8')).toContain('second');
  });

  test('runs once: a second up says so, and a second supervisor is refused', async () => {
    const before = (await readStatus(home)).status?.pid;
    expect((await start()).state).toBe('already-running');
    expect((await readStatus(home)).status?.pid).toBe(before);
    await expect(startSupervisor({ home, programs: [] })).rejects.toThrow(/running already: process \d+/);
  });

  test('restarts parts that are killed, with what they held', async () => {
    const before = await Promise.all(stackParts.map(program));
    for (const { pid } of before) process.kill(pid ?? 0, 'SIGKILL');
    await until(async () => {
      const now = await Promise.all(stackParts.map(program));
      expect(now.map(({ state }) => state)).toEqual(stackParts.map(() => 'ready'));
      for (const [index, part] of now.entries()) expect(part).toMatchObject({ restarts: (before[index]?.restarts ?? 0) + 1 });
    });
    expect(await recall()).toEqual(kept);
  });

  test('survives its supervisor: the next one takes the parts over', async () => {
    const before = await Promise.all(stackParts.map(program));
    process.kill((await readStatus(home)).status?.pid ?? 0, 'SIGKILL');
    await until(async () => expect((await readStatus(home)).running).toBe(false));
    expect(await recall()).toEqual(kept);
    expect((await start()).state).toBe('started');
    const after = await Promise.all(stackParts.map(program));
    expect(after.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
    process.kill(after[0]?.pid ?? 0, 'SIGKILL');
    await until(async () => expect(await program(after[0]?.name ?? '')).toMatchObject({ state: 'ready', restarts: 1 }));
  });

  test('keeps its state over down and up, also on other ports', async () => {
    const before = await loadStackFile(homeLayout(home).stackFile);
    expect(await down({ home })).toEqual({ state: 'stopped', orphans: 0 });
    expect(await readStatus(home)).toMatchObject({ running: false });
    const squatters: Server[] = [];
    for (const port of [before.ports['s3']?.['s3'], before.ports['s3']?.['volume'], before.ports['s3']?.['master'], before.ports['postgres']?.['postgres']]) {
      const squatter = createServer();
      await new Promise<void>((settle) => squatter.listen(port, '127.0.0.1', settle));
      squatters.push(squatter);
    }
    try {
      await start();
      const after = await loadStackFile(homeLayout(home).stackFile);
      expect(after.ports['temporal']).toEqual(before.ports['temporal']);
      expect(after.ports['postgres']).not.toEqual(before.ports['postgres']);
      expect(await recall()).toEqual(kept);
    } finally {
      for (const squatter of squatters) squatter.close();
    }
  });

  test('is ended by down when its supervisor was killed', async () => {
    const { status } = await readStatus(home);
    process.kill(status?.pid ?? 0, 'SIGKILL');
    await until(async () => expect((await readStatus(home)).running).toBe(false));
    expect(await down({ home })).toEqual({ state: 'stopped', orphans: stackParts.length });
    for (const { pid } of status?.programs ?? []) expect(residentBytes(pid ?? 0)).toBe(0);
    expect(await down({ home })).toEqual({ state: 'was-not-running', orphans: 0 });
  });

  test('leaves out a part whose address is given', async () => {
    const elsewhere = { ...env, DATABASE_URL: 'postgres://someone:secret@db.example:5432/models' };
    const { status } = await up({ home, detach: true, only: ['postgres', 'smtp'], env: elsewhere });
    expect(status?.programs.map(({ name }) => name)).toEqual(['smtp']);
    expect(loadConfig({ env: { ...elsewhere, PERENNIAL_HOME: home }, need: ['postgres'] }).databaseUrl).toBe(elsewhere.DATABASE_URL);
    expect(() => loadConfig({ env: { PERENNIAL_HOME: home }, need: ['postgres'] })).toThrow(/DATABASE_URL: expected an address, found nothing/);
    await down({ home });
  });
});
