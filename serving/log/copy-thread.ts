import { Worker } from 'node:worker_threads';
import { builtFile } from '../../runtime/child/program-path.js';
import { errorOf } from '../told-error.js';
import type { Copier, CopyRound } from './copier.js';
import type { CopyReport, CopyRequest, CopyThreadData } from './copy-messages.js';

/** Below the threads that answer: what is copied a moment later costs nobody anything, and it still gets a quarter of a processor that is fought for. */
const NICENESS = 5;

interface Running { readonly round: CopyRound; readonly done: () => void; readonly failed: (error: unknown) => void }

/**
 * Copies in a thread of its own, with a heap, connections and a lower priority of its own, so that reading segments and writing rows never
 * stand between a request and its answer. A thread that ended is started again by the next round.
 */
export function createCopyThread(options: Pick<CopyThreadData, 'databaseUrl' | 'applicationName' | 'events'>): Copier {
  let thread: Worker | null = null;
  let running: Running | null = null;

  function settle(error: unknown): void {
    const ended = running;
    running = null;
    if (error === null) ended?.done();
    else ended?.failed(error);
  }

  function started(): Worker {
    if (thread) return thread;
    const fresh = new Worker(builtFile('serving/log/copy-program.js'), { workerData: { ...options, niceness: NICENESS } satisfies CopyThreadData, resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 } });
    fresh.on('message', (report: CopyReport) => {
      if (report.kind === 'shipped') running?.round.onShipped(report.bytes, report.rows, report.orphan);
      else if (report.kind === 'problem') running?.round.onProblem(report.message, report.error ? errorOf(report.error) : undefined);
      else settle(report.error ? errorOf(report.error) : null);
    });
    const ended = (why: unknown) => {
      if (thread !== fresh) return;
      thread = null;
      settle(why);
    };
    fresh.on('error', ended);
    fresh.on('exit', (code) => { ended(new Error(`the thread that copies the prediction log ended with code ${code}`)); });
    fresh.unref();
    thread = fresh;
    return fresh;
  }

  return {
    copy: (round) => new Promise((done, failed) => {
      running = { round, done, failed };
      started().postMessage({ dir: round.dir, own: round.own, orphans: round.orphans } satisfies CopyRequest);
    }),
    async close() {
      const ending = thread;
      thread = null;
      await ending?.terminate();
    },
  };
}
