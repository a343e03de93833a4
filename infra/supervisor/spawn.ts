import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '../stack/program.js';
import { groupMembers, identify, isAlive, type ProcessIdentity } from './identity.js';

/** Marks every process we start, so that it is found again where the note of its pid was lost: `<home>#<program>`. */
export const programMark = 'PERENNIAL_PROGRAM';

/** A running process: one we started, or one taken over from a supervisor that was killed. */
export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /** settles, never rejects, when it has ended */
  readonly exited: Promise<Ending>;
  /** settles when it has sent `{ ready: true }`; never for a process that does not */
  readonly saidReady: Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/** How a process ended; `code` and `signal` are null where we are not its parent and cannot know. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Words for a log line: `exited with code 1`, `was ended by SIGKILL`. */
export function describeEnding({ code, signal }: Ending): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'ended' : `exited with code ${code}`;
}

/**
 * Starts a program in a session of its own, its output appended to the log file. It does not end when we do: see `adopt` and
 * `endOrphan`.
 * @param mark value of the environment variable that names this program of this home
 * @throws Error where the program cannot be executed
 */
export async function spawnProgram(program: Program, logFile: string, mark: string): Promise<RunningProcess> {
  const log = openSync(logFile, 'a', 0o600);
  const usesMessages = program.readiness.kind === 'message';
  const child = (() => {
    try {
      return spawn(program.command, program.args, {
        cwd: program.cwd,
        env: { ...program.env, [programMark]: mark },
        detached: true,
        stdio: usesMessages ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
        ...program.user,
      });
    } finally {
      closeSync(log);
    }
  })();
  const exited = new Promise<Ending>((settle) => child.once('exit', (code, signal) => settle({ code, signal })));
  const saidReady = new Promise<void>((settle) => {
    child.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'ready' in message && message.ready === true) settle();
    });
  });
  await new Promise<void>((settle, fail) => {
    child.once('spawn', settle);
    child.once('error', (error) => fail(new Error(`${program.name} could not be started: ${error.message}`, { cause: error })));
  });
  child.on('error', () => undefined); // a signal to a process that has just ended; its exit is reported by the event of that name
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program.name} was started, but the system gave it no pid`);
  const identity = identify(pid) ?? { pid, startTime: 'ended' }; // gone already: `exited` will say how
  return { identity, exited, saidReady, signal: (signal) => signalIdentity(identity, signal) };
}

/** Takes over a process that an earlier supervisor started. Not being its parent, we look for its end five times a second. */
export function adopt(identity: ProcessIdentity): RunningProcess {
  const exited = (async (): Promise<Ending> => {
    while (isAlive(identity)) await sleep(200);
    return { code: null, signal: null };
  })();
  return { identity, exited, saidReady: new Promise(() => undefined), signal: (signal) => signalIdentity(identity, signal) };
}

/** Sends a signal to this very process; does nothing where it has ended. */
export function signalIdentity(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (isAlive(identity)) throw error;
  }
}

/**
 * Ends what is left of the session of a process, whether it still runs itself or not: children of its own that did not notice.
 * Does nothing where its pid belongs to another process by now.
 */
export function killSession(identity: ProcessIdentity): void {
  const holder = identify(identity.pid);
  if (holder !== undefined && holder.startTime !== identity.startTime) return;
  for (const member of groupMembers(identity.pid)) {
    const known = identify(member);
    if (known !== undefined) signalIdentity(known, 'SIGKILL');
  }
  signalIdentity(identity, 'SIGKILL');
}

/** Ends a process in order: the signal, the grace time, then SIGKILL for it and its session. Settles when it has ended. */
export async function endProcess(running: RunningProcess, stopSignal: NodeJS.Signals, graceMs: number): Promise<void> {
  const timeUp = new AbortController();
  running.signal(stopSignal);
  const inTime = await Promise.race([running.exited.then(() => true), sleep(graceMs, false, { signal: timeUp.signal })]);
  if (inTime) timeUp.abort();
  killSession(running.identity);
  await running.exited;
}
