import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '../stack/program.js';
import type { ProcessIdentity } from './identity.js';
import { describeEnding, endProcess, killSession, spawnProgram, type Ending, type RunningProcess } from './spawn.js';
import type { ProgramState } from './status.js';

const firstDelayMs = 200;
const longestDelayMs = 30_000;
/** A program that stayed ready this long starts with a clean slate. */
const stableMs = 60_000;
/** As many failures in a row are called a crash loop. */
const crashLoop = 4;
const probeEveryMs = 100;

export interface ManagedOptions {
  logFile: string;
  mark: string;
  /** a process left by an earlier supervisor, ready when it was noted */
  adopted?: RunningProcess | undefined;
  /** lines for the supervisor's log */
  onEvent: (line: string) => void;
  /** state, process or count of restarts has changed */
  onChange: () => void;
}

/** A program that is kept running. */
export interface Managed {
  readonly program: Program;
  readonly state: ProgramState;
  readonly since: Date;
  readonly restarts: number;
  readonly identity: ProcessIdentity | undefined;
  /** why the last try failed, until one succeeds */
  readonly lastFailure: string | undefined;
  /** settles when it is ready for the first time (a one-shot: done) or was stopped before */
  readonly started: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a program and starts it again, with growing pauses, whenever it ends; until `stop`. */
export function createManaged(program: Program, options: ManagedOptions): Managed {
  const stopping = new AbortController();
  let state: ProgramState = 'starting';
  let since = new Date();
  let restarts = 0;
  let failures = 0;
  let lastFailure: string | undefined;
  let running: RunningProcess | undefined;
  let markStarted: () => void = () => undefined;
  const started = new Promise<void>((settle) => (markStarted = settle));

  const enter = (next: ProgramState): void => {
    if (next !== state) since = new Date();
    state = next;
    if (next === 'ready' || next === 'done' || next === 'stopped') markStarted();
    options.onChange();
  };
  const say = (line: string): void => options.onEvent(`${program.name}: ${line}`);

  /** One life of the process. Rejects with the reason where it failed; settles for a one-shot that is done, or when stopped. */
  const live = async (adopted: RunningProcess | undefined): Promise<void> => {
    if (adopted === undefined) await program.prepare?.();
    if (stopping.signal.aborted) return;
    const process = adopted ?? (await spawnProgram(program, options.logFile, options.mark));
    running = process;
    enter(state);
    try {
      await becomeReady(program, process, adopted !== undefined, stopping.signal);
      if (program.kind === 'one-shot') return enter('done');
      await program.afterReady?.();
      lastFailure = undefined;
      say(`${adopted === undefined ? 'ready' : 'taken over'} (pid ${process.identity.pid})`);
      enter('ready');
      const readyAt = Date.now();
      const ending = await process.exited;
      if (Date.now() - readyAt > stableMs) failures = 0;
      throw new Error(describeEnding(ending));
    } finally {
      if (!stopping.signal.aborted) {
        killSession(process.identity);
        await process.exited;
        running = undefined;
      }
    }
  };

  const keepRunning = async (): Promise<void> => {
    let adopted = options.adopted;
    while (!stopping.signal.aborted && state !== 'done') {
      try {
        await live(adopted);
      } catch (error) {
        if (stopping.signal.aborted) break;
        failures += 1;
        restarts += 1;
        lastFailure = error instanceof Error ? error.message : String(error);
        const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
        say(`${lastFailure}; starting it again in ${delayMs} ms (failure ${failures} in a row)`);
        enter(failures >= crashLoop ? 'crash-looping' : 'restarting');
        await pause(delayMs, stopping.signal);
      }
      adopted = undefined;
    }
  };
  const kept = keepRunning();

  return {
    program,
    get state() { return state; },
    get since() { return since; },
    get restarts() { return restarts; },
    get lastFailure() { return lastFailure; },
    get identity() { return running?.identity; },
    started,
    stop: async () => {
      stopping.abort();
      if (running !== undefined) await endProcess(running, program.stopSignal, program.graceMs);
      await kept;
      if (running !== undefined) await endProcess(running, program.stopSignal, program.graceMs); // spawned while the stop came
      running = undefined;
      await program.afterStop?.();
      if (state !== 'done') enter('stopped');
    },
  };
}

/** Waits until the program is ready; rejects where it ends before, or takes too long. */
async function becomeReady(program: Program, process: RunningProcess, wasReady: boolean, stopping: AbortSignal): Promise<void> {
  const over = new AbortController();
  const early = process.exited.then((ending: Ending) => {
    if (program.readiness.kind === 'exit' && ending.code === 0) return;
    throw new Error(`${describeEnding(ending)} before it was ready`);
  });
  let lastAnswer = '';
  const late = sleep(program.readyTimeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`was not ready within ${program.readyTimeoutMs} ms${lastAnswer === '' ? '' : `: ${lastAnswer}`}`);
  });
  const probing = async (check: () => Promise<boolean>): Promise<void> => {
    while (!over.signal.aborted && !stopping.aborted) {
      try {
        if (await check()) return;
      } catch (error) {
        lastAnswer = error instanceof Error ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ''}` : String(error);
      }
      await pause(probeEveryMs, over.signal);
    }
  };
  const ready = ((): Promise<void> => {
    switch (program.readiness.kind) {
      case 'probe':
        return probing(program.readiness.check);
      case 'message':
        return wasReady ? Promise.resolve() : process.saidReady;
      case 'exit':
        return early;
    }
  })();
  try {
    await Promise.race([ready, early, late]);
  } finally {
    over.abort();
    for (const loser of [early, late]) loser.catch(() => undefined); // the race has reported what matters
  }
}

/** Sleeps, or returns at once when the signal comes. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((settle) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      settle();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
