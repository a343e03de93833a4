import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { homeLayout } from '../../infra/stack/home.js';
import { packageRoot } from '../../infra/stack/package-root.js';
import type { Program } from '../../infra/stack/program.js';
import { down } from '../../infra/supervisor/down.js';
import { identify, isAlive } from '../../infra/supervisor/identity.js';
import { capLog, tailLog } from '../../infra/supervisor/logs.js';
import { findOrphans } from '../../infra/supervisor/orphans.js';
import { loadPids, savePids } from '../../infra/supervisor/pids.js';
import { missingParts, programNames } from '../../infra/supervisor/programs.js';
import { readStatus } from '../../infra/supervisor/read-status.js';
import { startSupervisor, type Supervisor } from '../../infra/supervisor/supervisor.js';
import { up } from '../../infra/supervisor/up.js';
import { until } from '../support/until.js';

let home = '';
const open: Supervisor[] = [];

beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'perennial-supervisor-')), '.perennial');
});

afterEach(async () => {
  for (const supervisor of open.splice(0)) await supervisor.close();
  await down({ home });
  await rm(join(home, '..'), { recursive: true, force: true });
});

const sayReady = 'process.send?.({ ready: true });';
const stay = 'setInterval(() => undefined, 1000);';

/** A program that runs this JavaScript. */
function script(name: string, code: string, more: Partial<Program> = {}): Program {
  return {
    name, stage: 0, kind: 'service', command: process.execPath, args: ['-e', code], env: {}, cwd: tmpdir(),
    readiness: { kind: 'message' }, readyTimeoutMs: 10_000, stopSignal: 'SIGTERM', graceMs: 2_000, ...more,
  };
}

async function supervise(programs: readonly Program[]): Promise<Supervisor & { events: string[] }> {
  const events: string[] = [];
  const supervisor = await startSupervisor({ home, programs, onEvent: (line) => events.push(line) });
  open.push(supervisor);
  return { ...supervisor, events };
}

const only = (supervisor: Supervisor, name = 'it') => supervisor.status().programs.find((program) => program.name === name);

/** A supervisor in a process of its own, which can be killed. */
async function superviseElsewhere(programs: readonly Program[]): Promise<number> {
  const module = pathToFileURL(join(packageRoot(), 'dist', 'infra', 'supervisor', 'supervisor.js')).href;
  const code = `const { startSupervisor } = await import(${JSON.stringify(module)}); await (await startSupervisor(${JSON.stringify({ home, programs })})).ready; setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  await until(async () => expect((await readStatus(home)).status?.programs.every(({ state }) => state === 'ready')).toBe(true));
  return child.pid ?? 0;
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => expect(identify(pid)).toBeUndefined());
}

describe('a supervised program', () => {
  test('starts when the stages below are ready, one-shots done', async () => {
    const trace = join(home, '..', 'trace');
    const note = (word: string): string => `require('fs').appendFileSync(${JSON.stringify(trace)}, '${word} ');`;
    const { ready } = await supervise([
      script('part', `setTimeout(() => { ${note('part')} ${sayReady} }, 300); ${stay}`),
      script('migrate', `setTimeout(() => { ${note('migrated')} }, 300);`, { stage: 1, kind: 'one-shot', readiness: { kind: 'exit' } }),
      script('worker', `${note('worker')} ${sayReady} ${stay}`, { stage: 2 }),
    ]);
    await ready;
    expect(await readFile(trace, 'utf8')).toBe('part migrated worker ');
    expect((await readStatus(home)).status?.programs.map(({ state }) => state)).toEqual(['ready', 'done', 'ready']);
  });

  test('is called crash-looping while it cannot start, and runs once its cause is gone', async () => {
    const cause = join(home, '..', 'cause');
    await writeFile(cause, '');
    const supervisor = await supervise([script('it', `if (require('fs').existsSync(${JSON.stringify(cause)})) { console.error('no disk'); process.exit(3); } ${sayReady} ${stay}`)]);
    await until(() => expect(only(supervisor)?.state).toBe('crash-looping'));
    expect(only(supervisor)?.lastFailure).toBe('exited with code 3 before it was ready');
    expect(supervisor.events[0]).toMatch(/^it: exited with code 3 before it was ready; starting it again in \d+ ms/);
    expect(await tailLog(join(homeLayout(home).logsDir, 'it.log'), 1)).toEqual(['no disk']);
    await rm(cause);
    await until(() => expect(only(supervisor)?.state).toBe('ready'));
    expect(only(supervisor)).not.toHaveProperty('lastFailure');
  });

  test('is killed after its grace time, with the processes it left in its session', async () => {
    const pidFile = join(home, '..', 'pid');
    const child = `const c = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stay)}], { stdio: 'ignore' }); require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(c.pid));`;
    const supervisor = await supervise([script('it', `process.on('SIGTERM', () => undefined); ${child} ${sayReady} ${stay}`, { graceMs: 300 })]);
    await supervisor.ready;
    const pids = [only(supervisor)?.pid ?? 0, Number(await readFile(pidFile, 'utf8'))];
    expect(pids.map((pid) => identify(pid) !== undefined)).toEqual([true, true]);
    await supervisor.close();
    await until(() => expect(pids.map(identify)).toEqual([undefined, undefined]));
  });

  test('that hangs before it is ready is started again', async () => {
    const first = join(home, '..', 'first');
    const supervisor = await supervise([script('it', `const fs = require('fs'); if (fs.existsSync(${JSON.stringify(first)})) ${sayReady} fs.writeFileSync(${JSON.stringify(first)}, ''); ${stay}`, { readyTimeoutMs: 500 })]);
    await supervisor.ready;
    expect(only(supervisor)).toMatchObject({ state: 'ready', restarts: 1 });
  });
});

describe('after a supervisor was killed', () => {
  test('what would be started again goes on, the rest is ended', async () => {
    const [same, changed] = [script('same', `${sayReady} ${stay}`), script('changed', `${sayReady} ${stay}`)];
    const dead = await superviseElsewhere([same, changed, script('gone', `${sayReady} ${stay}`)]);
    const before = new Map((await readStatus(home)).status?.programs.map(({ name, pid }) => [name, pid ?? 0]));
    await kill(dead);
    const supervisor = await supervise([same, { ...changed, version: '2' }]);
    await supervisor.ready;
    expect(only(supervisor, 'same')?.pid).toBe(before.get('same'));
    expect(only(supervisor, 'changed')?.pid).not.toBe(before.get('changed'));
    expect([before.get('changed'), before.get('gone')].map((pid) => identify(pid ?? 0))).toEqual([undefined, undefined]);
  });

  test('a process nobody took a note of is found by its mark', async () => {
    const dead = await superviseElsewhere([script('it', `${sayReady} ${stay}`)]);
    const pid = (await readStatus(home)).status?.programs[0]?.pid ?? 0;
    await kill(dead);
    await rm(homeLayout(home).pidsFile);
    expect(findOrphans(home, {})).toMatchObject([{ name: 'it', identity: { pid } }]);
    expect(findOrphans(`${home}-other`, {})).toEqual([]);
    expect(await down({ home })).toEqual({ state: 'stopped', orphans: 1 });
    expect(identify(pid)).toBeUndefined();
  });

  test('a process that got the pid of an old one is left alone', async () => {
    const own = identify(process.pid);
    await mkdir(home, { recursive: true });
    await savePids(homeLayout(home).pidsFile, { it: { pid: process.pid, startTime: 'earlier', digest: '', ready: true, stopSignal: 'SIGKILL', graceMs: 0 } });
    await writeFile(homeLayout(home).lockFile, JSON.stringify({ pid: process.pid, startTime: 'earlier' }));
    expect(await down({ home })).toEqual({ state: 'was-not-running', orphans: 0 });
    expect(own !== undefined && isAlive(own)).toBe(true);
  });

  test('of several that start at once, one gets the lock', async () => {
    await mkdir(home, { recursive: true });
    await writeFile(homeLayout(home).lockFile, JSON.stringify({ pid: process.pid, startTime: 'earlier' }));
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => supervise([])));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('up', () => {
  test('names the part that does not start, shows the end of its log, and leaves nothing running', async () => {
    await mkdir(join(home, 'database'), { recursive: true });
    await writeFile(join(home, 'database', 'PG_VERSION'), '12\n');
    await writeFile(homeLayout(home).stackFile, JSON.stringify({ v: 1, env: {}, ports: {}, postgresDataDir: join(home, 'database') }));
    const { DATABASE_URL: _, ...env } = process.env;
    await expect(up({ home, detach: true, only: ['postgres', 'smtp'], env })).rejects.toThrow(/^postgres does not start: .* was written by PostgreSQL 12, the programs are version 18/);
    expect((await readStatus(home)).running).toBe(false);
    expect(findOrphans(home, await loadPids(homeLayout(home).pidsFile))).toEqual([]);
  });

  test('of some programs only says which parts they need that nobody gives, before anything starts', async () => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DATABASE_URL|SMTP_URL|S3_|TEMPORAL_)/.test(name)));
    for (const detach of [true, false]) {
      await expect(up({ home, detach, only: ['postgres', 's3', 'temporal', 'migrate', 'lifecycle', 'compute'], env })).rejects.toThrow(/^These programs cannot run alone\n {2}lifecycle: smtp is needed; name it as well, or set SMTP_URL$/);
    }
    await expect(up({ home, detach: true, only: ['server-test', 'migrate'], env: { ...env, S3_ENDPOINT: 'http://127.0.0.1:1' } })).rejects.toThrow('server-test, migrate: postgres is needed; name it as well, or set DATABASE_URL');
    expect((await readStatus(home)).running).toBe(false);
    expect([missingParts(['lifecycle', 'postgres', 's3', 'temporal'], { ...env, SMTP_URL: 'smtp://127.0.0.1:25' }), missingParts(programNames, env), missingParts(['postgres', 'smtp'], env)]).toEqual([[], [], []]);
  });
});

test('a log that grows too large is set aside, its writer goes on', async () => {
  await mkdir(home, { recursive: true });
  const file = join(home, 'it.log');
  await writeFile(file, 'x'.repeat(200));
  await capLog(file, 100);
  expect((await stat(file)).size).toBe(0);
  expect(await readFile(`${file}.1`, 'utf8')).toHaveLength(200);
});
