import type { ExplainTask } from '../../contract/explanation.js';
import type { Signature } from '../../contract/package.js';
import type { TrainingProfile } from '../../contract/profile.js';
import { outputsPerRow } from '../../domain/outputs.js';
import type { Outputs } from '../../domain/outputs.js';
import type { ResidentMemory } from '../../runtime/child/usage.js';
import { PredictionRefused, RunnerGone, type Explanation, type Runner } from '../../runtime/runner/start.js';
import { ServingError } from '../errors.js';
import { createExplainQueue } from '../explain/queue.js';
import type { Rows } from '../protocol/rows.js';
import { Batcher, type BatcherLimits } from './batcher.js';
import { RowsRefused, VersionDown, type PredictCall } from './waiting.js';

export interface ServedVersionOptions {
  readonly version: number;
  /** Starts a runner; it has verified the package and replayed the golden predictions when this resolves. `again`: one after the first. Rejects where the signal aborts, once its process is gone. */
  readonly start: (again: boolean, signal: AbortSignal) => Promise<Runner>;
  /** What the package says of the training rows; asked once it was verified. */
  readonly readProfile: () => Promise<TrainingProfile | null>;
  readonly limits: BatcherLimits;
  /** Resident bytes at which a runner is killed. One that grows is replaced by a fresh one before: TensorFlow leaks over weeks. */
  readonly memoryLimitBytes: number;
  /** A batch of so many rows goes to the runner. */
  readonly onBatch: (rows: number) => void;
  readonly onEvent: (event: 'crashed' | 'restarted' | 'recycled' | 'restart-failed' | 'uncompiled', detail: string) => void;
}

/** When an explanation is of no use any more, and what of that time the prediction took. */
export interface ExplainCall { readonly deadlineMs?: number | undefined; readonly spentMs: number }

export interface ServedVersion {
  readonly version: number;
  readonly signature: Signature;
  readonly profile: TrainingProfile | null;
  /** A row's outputs after another's. Rejects with a ServingError; with VersionDown where the runner is to blame and another version may answer. */
  predict(rows: Rows, call?: PredictCall): Promise<Outputs>;
  /** What speaks for the rows' outputs, computed between predictions. Rejects with a ServingError. */
  explain(rows: Rows, task: ExplainTask, call: ExplainCall): Promise<Explanation>;
  /** False while the runner is being restarted; requests wait then. */
  readonly ready: boolean;
  readonly pid: number | null;
  /** Rows that wait. */
  readonly queuedRows: number;
  /** Of the runner's process; 0 where there is none, or it cannot be known. */
  readonly residentBytes: number;
  /** The same, by whose it is; null where there is none. */
  readonly memory: ResidentMemory | null;
  /** When it was last asked, or loaded; of `performance.now()`. */
  readonly usedAt: number;
  /** Finishes what is under way (for up to `waitMs`), then ends the runner. */
  close(waitMs?: number): Promise<void>;
}

const RESTART = { firstMs: 100, maximumMs: 10_000 } as const;
/** A runner that ended sooner than this after its start is likely to do it again: the next start waits, longer each time. */
const STEADY_AFTER_MS = 10_000;
const WATCH_EVERY_MS = 1_000;
/** A runner that has grown by this much of what lies between its size at the start and its limit is replaced. */
const RECYCLE_SHARE = 0.7;
/** After a replacement that failed, the next one waits. */
const RECYCLE_AGAIN_MS = 30_000;

/** A version with its runner process: warmed, batched, started again when it dies. Rejects where the first start fails. */
export async function createServedVersion(options: ServedVersionOptions): Promise<ServedVersion> {
  const stop = new AbortController();
  let starting: Promise<Runner> = options.start(false, stop.signal);
  let runner: Runner | null = await starting;
  const { signature } = runner;
  const profile = await readOrClose(options, runner);
  let closed = false;
  let usedAt = performance.now();
  let startedAt = 0;
  let recycleBytes = 0;
  let shortLived = 0;
  const batcher = new Batcher(outputsPerRow(signature), options.limits, () => {
    const hung = runner;
    if (!hung) return;
    gone(hung, `no answer for ${options.limits.hungMs} ms`);
    hung.kill();
  });

  const explanations = createExplainQueue(() => runner);

  function take(fresh: Runner): void {
    runner = fresh;
    startedAt = performance.now();
    const startBytes = fresh.rssBytes() ?? 0;
    recycleBytes = startBytes + RECYCLE_SHARE * Math.max(0, options.memoryLimitBytes - startBytes);
    if (fresh.uncompiled !== null) options.onEvent('uncompiled', `its network is run operation by operation, since ${fresh.uncompiled}`);
    fresh.once('exit', (end) => gone(fresh, end.kind === 'exited' ? (end.signal ?? `code ${end.code ?? 'unknown'}`) : end.kind));
    batcher.use({
      async predict(batch) {
        options.onBatch(batch.rows);
        try {
          return await fresh.predict(batch);
        } catch (error) {
          if (error instanceof RunnerGone) gone(fresh, error.message);
          if (error instanceof PredictionRefused) throw new RowsRefused(error);
          throw error;
        }
      },
    });
  }

  function gone(ended: Runner, why: string): void {
    if (closed || runner !== ended) return;
    runner = null;
    shortLived = performance.now() - startedAt < STEADY_AFTER_MS ? shortLived + 1 : 0;
    batcher.use(null, shortLived > 1);
    options.onEvent('crashed', why);
    void restart();
  }

  /** Requests wait for the first try; while a runner does not come up, or does not stay, they are refused at once. */
  async function restart(): Promise<void> {
    for (let failures = Math.max(0, shortLived - 1); !closed; failures += 1) {
      if (failures > 0) await new Promise((wake) => setTimeout(wake, Math.min(RESTART.maximumMs, RESTART.firstMs * 2 ** (failures - 1))));
      if (closed) return;
      try {
        const fresh = await (starting = options.start(true, stop.signal));
        if (closed) return await fresh.close();
        take(fresh);
        options.onEvent('restarted', `pid ${fresh.pid}`);
        return;
      } catch (error) {
        if (closed) return;
        batcher.use(null, true);
        options.onEvent('restart-failed', error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** The runner that is being replaced because it has grown. */
  let recycled: Runner | null = null;
  let recycleAfter = 0;
  async function recycle(grown: Runner): Promise<void> {
    recycled = grown;
    try {
      const fresh = await (starting = options.start(true, stop.signal));
      if (closed || runner !== grown) return await fresh.close();
      take(fresh);
      options.onEvent('recycled', `pid ${grown.pid} had grown; pid ${fresh.pid} goes on`);
      await grown.close(options.limits.deadlineMs); // its batches in flight end first
    } catch (error) {
      if (closed) return;
      recycleAfter = performance.now() + RECYCLE_AGAIN_MS;
      options.onEvent('restart-failed', error instanceof Error ? error.message : String(error));
    } finally {
      recycled = null;
    }
  }

  const watch = setInterval(() => {
    if (runner && !recycled && performance.now() > recycleAfter && (runner.rssBytes() ?? 0) > recycleBytes) void recycle(runner);
  }, WATCH_EVERY_MS);
  watch.unref();
  take(runner);

  return {
    version: options.version,
    signature,
    profile,
    predict(rows, call) {
      usedAt = performance.now();
      return closed ? Promise.reject(new VersionDown('This version has just been replaced.')) : batcher.predict(rows, call);
    },
    explain(rows, task, { deadlineMs = Infinity, spentMs }) {
      usedAt = performance.now();
      return explanations.explain(rows, task, Math.min(deadlineMs, options.limits.deadlineMs) - spentMs);
    },
    get ready() { return runner !== null; },
    get pid() { return runner?.pid ?? null; },
    get queuedRows() { return batcher.queuedRows; },
    get residentBytes() { return runner?.rssBytes() ?? 0; },
    get memory() { return runner?.memory() ?? null; },
    get usedAt() { return usedAt; },
    async close(waitMs = 10_000) {
      clearInterval(watch);
      await Promise.race([Promise.all([batcher.drained(), explanations.drained()]), new Promise((wake) => setTimeout(wake, waitMs).unref())]);
      closed = true;
      batcher.use(null);
      batcher.abandon(new ServingError(503, 'The server is stopping.', { retryAfter: 1 }));
      stop.abort();
      await Promise.allSettled([runner?.close(), recycled?.close(), starting.then((fresh) => fresh.close())]);
    },
  };
}

async function readOrClose({ readProfile }: ServedVersionOptions, runner: Runner): Promise<TrainingProfile | null> {
  try {
    return await readProfile();
  } catch (error) {
    await runner.close();
    throw error;
  }
}
