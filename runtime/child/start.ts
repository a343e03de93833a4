import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { ChildFrame } from '../../contract/frames.js';
import type { HostFrame, Program, Task } from '../../contract/frames.js';
import { Channel } from '../frames/channel.js';
import type { FrameError } from '../frames/codec.js';
import { childEnvironment } from './environment.js';
import { HOME_PREFIX } from './home.js';
import { processorMs, residentBytes, residentMemory, type ResidentMemory } from './usage.js';
import { builtFile } from './program-path.js';
import { Tail } from './tail.js';

/** How a child ended. `exited` is the only end that the child chose. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'memory'; readonly residentMb: number; readonly limitMb: number }
  | { readonly kind: 'timeout'; readonly limitMs: number; readonly of?: 'processor' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'protocol'; readonly error: FrameError }
  /** The host's own handling of a frame failed. */
  | { readonly kind: 'host'; readonly error: unknown };

export interface ChildOptions {
  readonly program: Program;
  readonly memoryMb: number;
  readonly timeoutMs?: number | undefined;
  /** Most processor time. Unlike `timeoutMs` it runs no faster on a busy machine; without /proc it is not watched. */
  readonly processorMs?: number | undefined;
  /** How long an aborted child may tidy up after the cancel frame before it is killed; at most 3 s. */
  readonly graceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly tfjsNode?: string | undefined;
  readonly threads?: number | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly nodeArguments?: readonly string[] | undefined;
  /** Written to the child's own folder before it starts, by name. */
  readonly files?: Readonly<Record<string, Uint8Array>> | undefined;
  readonly onFrame: (frame: ChildFrame, body: Uint8Array) => void;
}

export interface Child {
  readonly pid: number;
  /** The child's own folder (HOME and TMPDIR); removed when it ends. */
  readonly home: string;
  readonly end: Promise<ChildEnd>;
  start(task: Task): void;
  send(frame: HostFrame, body?: Uint8Array): Promise<void>;
  /** The last 64 kB that the child wrote to stdout and stderr. */
  output(): string;
  residentBytes(): number | null;
  residentMemory(): ResidentMemory | null;
  /** Kills the child and everything in its process group; `why` becomes its end. */
  kill(why?: ChildEnd): void;
}

const WATCH_EVERY_MS = 100;

/**
 * Starts one of the programs in `runtime/programs` as a child process: own process group, allow-listed environment, resident
 * memory and time watched. Frames travel on file descriptor 3; stdout and stderr are the team's and only kept for messages.
 */
export function startChild(options: ChildOptions): Child {
  const home = mkdtempSync(join(tmpdir(), HOME_PREFIX));
  for (const [name, bytes] of Object.entries(options.files ?? {})) writeFileSync(join(home, name), bytes);
  const { program, memoryMb, timeoutMs, signal, tfjsNode, threads } = options;
  const child = spawn(process.execPath, [`--max-old-space-size=${memoryMb}`, ...(options.nodeArguments ?? []), builtFile(`runtime/programs/${program}.js`)], {
    cwd: home, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: childEnvironment({ home, tfjsNode, threads, extra: options.environment }),
  });
  const pid = child.pid ?? -1;
  const tail = new Tail();
  child.stdout?.on('data', (chunk: Buffer) => { tail.push(chunk); });
  child.stderr?.on('data', (chunk: Buffer) => { tail.push(chunk); });

  let forced: ChildEnd | null = null;
  const kill = (why?: ChildEnd) => {
    forced ??= why ?? null;
    killGroup(pid);
  };
  const channel = new Channel<ChildFrame, HostFrame>(child.stdio[3] as Duplex, ChildFrame, {
    onFrame: (frame, body) => {
      try {
        options.onFrame(frame, body);
      } catch (error) {
        kill({ kind: 'host', error });
      }
    },
    onClose: (error) => { if (error && child.exitCode === null && child.signalCode === null) kill({ kind: 'protocol', error }); },
  });

  const watch = setInterval(() => {
    const resident = residentBytes(pid) ?? 0;
    if (resident > memoryMb * 1024 * 1024) kill({ kind: 'memory', residentMb: Math.round(resident / 1024 / 1024), limitMb: memoryMb });
    const { processorMs: limitMs } = options;
    if (limitMs !== undefined && (processorMs(pid) ?? 0) > limitMs) kill({ kind: 'timeout', limitMs, of: 'processor' });
  }, WATCH_EVERY_MS);
  const deadline = timeoutMs === undefined ? null : setTimeout(() => { kill({ kind: 'timeout', limitMs: timeoutMs }); }, Math.min(timeoutMs, 2 ** 31 - 1));
  let grace: NodeJS.Timeout | null = null;
  const abort = () => {
    forced ??= { kind: 'aborted' };
    void channel.send({ v: 1, kind: 'cancel' });
    grace = setTimeout(() => { kill(); }, Math.min(options.graceMs ?? 0, 3000));
  };
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });

  const ended = new Promise<ChildEnd>((resolve, reject) => {
    child.on('error', reject);
    // What the child left behind in its group must not outlive it; it would also keep the pipes open.
    child.on('exit', () => { killGroup(pid); });
    child.on('close', (code, signalName) => { resolve(forced ?? { kind: 'exited', code, signal: signalName }); });
  });
  const end = (async () => {
    try {
      return await ended;
    } finally {
      clearInterval(watch);
      if (deadline) clearTimeout(deadline);
      if (grace) clearTimeout(grace);
      signal?.removeEventListener('abort', abort);
      channel.close();
      await rm(home, { recursive: true, force: true });
    }
  })();

  return {
    pid, home, end,
    start: (task) => { void channel.send({ v: 1, kind: 'start', task }); },
    send: (frame, body) => channel.send(frame, body),
    output: () => tail.text(),
    residentBytes: () => residentBytes(pid),
    residentMemory: () => residentMemory(pid),
    kill,
  };
}

function killGroup(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: everything in the group already ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
