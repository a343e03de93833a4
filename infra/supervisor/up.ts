import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureHome } from '../stack/home.js';
import { packageRoot } from '../stack/package-root.js';
import { down } from './down.js';
import { runForeground } from './foreground.js';
import { lockHolder } from './lock.js';
import { rotateLog, tailLog } from './logs.js';
import { missingParts } from './programs.js';
import type { ProgramName } from './programs.js';
import { readStatus } from './read-status.js';
import type { ProgramStatus, SupervisorStatus } from './status.js';

const pollMs = 100;
const defaultTimeoutMs = 180_000;

/** Something did not come up. Nothing is left running, unless it ran before. */
export class UpError extends Error {
  override readonly name = 'UpError';
  constructor(
    message: string,
    /** the program that failed, where it was one */
    readonly program: string | undefined,
    /** the last lines of its log, oldest first */
    readonly logTail: readonly string[],
  ) {
    super([message, ...logTail.map((line) => `  ${line}`)].join('\n'));
  }
}

export interface UpOptions {
  /** the state folder `.perennial/`; made where it is not there */
  home: string;
  /** true: a supervisor goes on in the background; false: it runs in this process until a signal ends it */
  detach: boolean;
  /** default: all programs */
  only?: readonly ProgramName[];
  env?: NodeJS.ProcessEnv;
  /** from the call until everything is ready (detached) */
  timeoutMs?: number;
  /** called at every change of any program */
  onProgress?: (status: SupervisorStatus) => void;
  onEvent?: (line: string) => void;
}

export interface UpResult {
  /** `stopped`: it ran in the foreground and has ended */
  state: 'started' | 'already-running' | 'stopped';
  status?: SupervisorStatus;
}

/**
 * Starts everything that is not given by addresses in the environment, and waits until it is ready. Safe to repeat: where a
 * supervisor runs already, waits for that one.
 * @throws UpError naming the program that failed, with the end of its log; or, of some programs only, the parts that they need and nobody gives
 * @throws AlreadyRunning with `detach: false`, where a supervisor runs already
 */
export async function up({ home, detach, only, env = process.env, timeoutMs = defaultTimeoutMs, onProgress = () => undefined, onEvent }: UpOptions): Promise<UpResult> {
  const missing = only === undefined ? [] : missingParts(only, env);
  if (missing.length > 0) throw new UpError('These programs cannot run alone', undefined, missing);
  const layout = await ensureHome(home);
  const narrowed = only === undefined ? {} : { only };
  if (!detach) {
    await runForeground({ home: layout.dir, env, ...narrowed, onStatus: onProgress, ...(onEvent === undefined ? {} : { onEvent }) });
    return { state: 'stopped' };
  }
  const logFile = join(layout.logsDir, 'supervisor.log');
  const holder = await lockHolder(layout.lockFile);
  let daemon = holder === undefined ? await spawnDaemon(layout.dir, logFile, env, only) : undefined;
  const until = Date.now() + timeoutMs;
  let shown = '';
  for (;;) {
    const ended = daemon?.exitCode() !== undefined; // looked at before the status, which it may have written last
    const { running, status } = await readStatus(layout.dir);
    if (ended && running) daemon = undefined; // another one took the lock first: wait for that
    if (running && status !== undefined && (daemon === undefined || status.pid === daemon.pid)) {
      const text = JSON.stringify(status);
      if (text !== shown) onProgress(status);
      shown = text;
      const failed = status.programs.find(({ state }) => state === 'crash-looping');
      if (failed !== undefined) return fail(`${failed.name} does not start: ${failed.lastFailure ?? 'no reason noted'}`, failed);
      if (status.programs.every(({ state }) => state === 'ready' || state === 'done')) return { state: daemon === undefined ? 'already-running' : 'started', status };
      if (Date.now() > until) {
        const slow = status.programs.find(({ state }) => state !== 'ready' && state !== 'done');
        return fail(`${slow?.name ?? 'a program'} was not ready within ${timeoutMs / 1000} s`, slow);
      }
    } else if (ended || (daemon === undefined && !running) || Date.now() > until) {
      return fail('The supervisor ended or does not answer', undefined);
    }
    await sleep(pollMs);
  }

  async function fail(message: string, program: ProgramStatus | undefined): Promise<never> {
    const tail = await tailLog(program?.logFile ?? logFile);
    if (daemon !== undefined) await down({ home: layout.dir });
    throw new UpError(message, program?.name, tail);
  }
}

async function spawnDaemon(home: string, logFile: string, env: NodeJS.ProcessEnv, only: readonly ProgramName[] | undefined): Promise<{ pid: number; exitCode(): number | undefined }> {
  const entry = join(packageRoot(), 'dist', 'infra', 'supervisor', 'main.js');
  if (!existsSync(entry)) throw new UpError(`${entry} is missing: run \`npm run build\``, undefined, []);
  await rotateLog(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const args = ['--max-old-space-size=96', '--enable-source-maps', entry, '--home', home, ...(only === undefined ? [] : ['--only', only.join(',')])];
  const child = spawn(process.execPath, args, { cwd: home, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let code: number | undefined;
  child.once('exit', (exit) => (code = exit ?? -1));
  await new Promise<void>((settle, fail) => {
    child.once('spawn', settle);
    child.once('error', fail);
  });
  child.unref();
  return { pid: child.pid ?? 0, exitCode: () => code };
}
