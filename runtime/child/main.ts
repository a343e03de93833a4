import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../../contract/errors.js';
import { HostFrame } from '../../contract/frames.js';
import type { ChildFrame, Program, TaskOf } from '../../contract/frames.js';
import { Channel } from '../frames/channel.js';
import { failedFrame } from './failure.js';
import { removeOwnHome } from './home.js';
import { builtFile } from './program-path.js';

export interface ChildContext<P extends Program> {
  readonly task: TaskOf<P>;
  readonly send: (frame: ChildFrame, body?: Uint8Array) => Promise<void>;
  /** Aborted by the cancel frame. A program looks at it between batches. */
  readonly cancelled: AbortSignal;
  /** Sets who receives the frames that follow `start`. */
  readonly onFrame: (handler: (frame: HostFrame, body: Uint8Array) => void) => void;
  /** Bytes that have come through the pipe so far, of whole frames or not. */
  readonly received: () => number;
}

export interface ChildProgram<P extends Program> {
  readonly program: P;
  /** The code of a failure that the program gave none. */
  readonly failure: ErrorCode;
  /** Whether team code runs here: then a thread watches the parent. A runner executes none and saves the thread. */
  readonly teamCode: boolean;
  readonly run: (context: ChildContext<P>) => Promise<void>;
}

/** Entry point of every child program: reads the task, runs it, reports how it ended, exits. */
export function childMain<P extends Program>(program: ChildProgram<P>): void {
  if (program.teamCode) new Worker(builtFile('runtime/child/parent-watch.js')).unref();
  const cancel = new AbortController();
  let started = false;
  let handler: ((frame: HostFrame, body: Uint8Array) => void) | null = null;

  const pipe = new Socket({ fd: 3, readable: true, writable: true });
  const channel = new Channel<HostFrame, ChildFrame>(pipe, HostFrame, {
    onFrame: (frame, body) => {
      if (frame.kind === 'cancel') cancel.abort();
      else if (frame.kind !== 'start') handler?.(frame, body);
      else if (!started && frame.task.program === program.program) {
        started = true;
        void run(frame.task as TaskOf<P>);
      }
    },
    // The parent closed the pipe or died: nobody waits for a result any more, and nobody else removes the folder.
    onClose: () => {
      removeOwnHome();
      process.exit(1);
    },
  });
  const send = (frame: ChildFrame, body?: Uint8Array) => channel.send(frame, body);
  const fail = async (error: unknown) => {
    await send(failedFrame(error, program.failure));
    process.exit(0);
  };
  process.on('uncaughtException', (error) => { void fail(error); });
  process.on('unhandledRejection', (error) => { void fail(error); });

  async function run(task: TaskOf<P>): Promise<void> {
    try {
      await program.run({ task, send, cancelled: cancel.signal, onFrame: (next) => { handler = next; }, received: () => pipe.bytesRead });
      if (handler) return;
      process.exit(0);
    } catch (error) {
      if (!cancel.signal.aborted) return fail(error);
      await send({ v: 1, kind: 'cancelled' });
      process.exit(0);
    }
  }
}
