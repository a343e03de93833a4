import type { Signature } from '../../contract/package.js';
import { outputsPerRow } from '../../domain/outputs.js';
import type { Outputs } from '../../domain/outputs.js';
import { PredictionRefused, RunnerGone, type Runner } from '../../runtime/runner/start.js';
import { ServingError } from '../errors.js';
import type { Rows } from '../protocol/rows.js';
import { Batcher, type BatcherLimits } from './batcher.js';

export interface ServedVersionOptions {
  readonly version: number;
  /** Starts a runner; it has verified the package and replayed the golden predictions when this resolves. */
  readonly start: () => Promise<Runner>;
  readonly limits: BatcherLimits;
  /** Resident bytes from which a runner is replaced by a fresh one before it has to be killed: TensorFlow leaks over weeks. */
  readonly recycleBytes: number;
  readonly onEvent: (event: 'crashed' | 'restarted' | 'recycled' | 'restart-failed', detail: string) => void;
}

export interface ServedVersion {
  readonly version: number;
  readonly signature: Signature;
  /** A row's outputs after another's. Rejects with a ServingError. */
  predict(rows: Rows): Promise<Outputs>;
  /** False while the runner is being restarted; requests wait then. */
  readonly ready: boolean;
  readonly pid: number | null;
  /** Finishes what is under way (for up to `waitMs`), then ends the runner. */
  close(waitMs?: number): Promise<void>;
}

const RESTART = { firstMs: 100, maximumMs: 10_000 } as const;
const WATCH_EVERY_MS = 10_000;

/** A version with its runner process: warmed, batched, started again when it dies. Rejects where the first start fails. */
export async function createServedVersion(options: ServedVersionOptions): Promise<ServedVersion> {
  let runner: Runner | null = await options.start();
  const { signature } = runner;
  let closed = false;
  const batcher = new Batcher(outputsPerRow(signature), options.limits, () => {
    const hung = runner;
    if (hung) void hung.close();
  });

  function take(fresh: Runner): void {
    runner = fresh;
    fresh.once('exit', (end) => gone(fresh, end.kind === 'exited' ? (end.signal ?? `code ${end.code ?? 'unknown'}`) : end.kind));
    batcher.use({
      async predict(batch) {
        try {
          return await fresh.predict(batch);
        } catch (error) {
          if (error instanceof RunnerGone) gone(fresh, error.message);
          if (error instanceof PredictionRefused) throw new ServingError(500, 'The model could not compute this prediction.', { cause: error });
          throw error;
        }
      },
    });
  }

  function gone(ended: Runner, why: string): void {
    if (closed || runner !== ended) return;
    runner = null;
    batcher.use(null);
    options.onEvent('crashed', why);
    void restart();
  }

  async function restart(): Promise<void> {
    for (let delayMs: number = RESTART.firstMs; !closed; delayMs = Math.min(RESTART.maximumMs, delayMs * 2)) {
      try {
        const fresh = await options.start();
        if (closed) return await fresh.close();
        take(fresh);
        options.onEvent('restarted', `pid ${fresh.pid}`);
        return;
      } catch (error) {
        options.onEvent('restart-failed', error instanceof Error ? error.message : String(error));
        await new Promise((wake) => setTimeout(wake, delayMs));
      }
    }
  }

  let recycling = false;
  async function recycle(grown: Runner): Promise<void> {
    recycling = true;
    try {
      const fresh = await options.start();
      if (closed || runner !== grown) return await fresh.close();
      take(fresh);
      options.onEvent('recycled', `pid ${grown.pid} had grown; pid ${fresh.pid} goes on`);
      await new Promise((wake) => setTimeout(wake, options.limits.deadlineMs)); // its batches in flight end first
      await grown.close();
    } catch (error) {
      options.onEvent('restart-failed', error instanceof Error ? error.message : String(error));
    } finally {
      recycling = false;
    }
  }

  const watch = setInterval(() => {
    if (runner && !recycling && (runner.rssBytes() ?? 0) > options.recycleBytes) void recycle(runner);
  }, WATCH_EVERY_MS);
  watch.unref();
  take(runner);

  return {
    version: options.version,
    signature,
    predict: (rows) => (closed ? Promise.reject(new ServingError(503, 'This version has just been replaced.', { retryAfter: 1 })) : batcher.predict(rows)),
    get ready() { return runner !== null; },
    get pid() { return runner?.pid ?? null; },
    async close(waitMs = 10_000) {
      clearInterval(watch);
      await Promise.race([batcher.drained(), new Promise((wake) => setTimeout(wake, waitMs).unref())]);
      closed = true;
      batcher.use(null);
      batcher.abandon(new ServingError(503, 'The server is stopping.', { retryAfter: 1 }));
      await runner?.close();
    },
  };
}
