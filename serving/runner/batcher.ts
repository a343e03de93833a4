import type { Outputs } from '../../domain/outputs.js';
import type { RawRows } from '../../runtime/preprocess.js';
import { ServingError } from '../errors.js';
import type { Rows } from '../protocol/rows.js';
import { joined } from './joined.js';
import { LearnedLatency, WARM_ROWS } from './latency.js';
import { RowsRefused, rowsIn, tooLate, VersionDown, Waiting, type PredictCall } from './waiting.js';

/** What a batch needs of a runner: a row's outputs after another's. */
export interface Predictor { predict(batch: { rows: number; input: RawRows }): Promise<Outputs> }

export interface BatcherLimits {
  /** Rows in one batch, unless a single request has more. */
  batchRows: number;
  /** Batches are made as large as keeps a request's time, from its arrival, within this. */
  latencyGoalMs: number;
  /** Batches at the runner at once: one is computed while the next one is on its way. */
  inFlight: number;
  /** Rows that may wait; beyond, requests are answered 503. */
  queueRows: number;
  /** After this time a request is answered 504. */
  deadlineMs: number;
  /** A runner that computes `batchRows` rows for this long is in an endless loop. */
  hungMs: number;
}

/** A queue that is late already is worked off by batches of up to this many goals: small ones would cost more a row and lengthen it. */
const LATE_GOALS = 10;
/** Nor is a runner in an endless loop before it took this many times what such a batch is expected to take. */
const HUNG_TIMES = 5;
const RUNNER_GONE = 'The model stopped while it computed this prediction; it is being restarted.';

/**
 * Collects what arrives while the runner is busy into batches; an idle runner is given at once whatever is there. How many rows a batch
 * takes follows from what the version was measured to need.
 */
export class Batcher {
  #queue: Waiting[] = [];
  #queuedRows = 0;
  /** Batches at the runner, in the order of their answers. */
  readonly #atRunner: { readonly rows: number; readonly alone: boolean }[] = [];
  /** Since when the first of them is computed. */
  #computingSince = 0;
  #hung: NodeJS.Timeout | null = null;
  #scheduled = false;
  #predictor: Predictor | null = null;
  #down = false;
  #idle: (() => void)[] = [];
  readonly #latency = new LearnedLatency();

  /** `outputs`: numbers that the model gives for a row. */
  constructor(private readonly outputs: number, private readonly limits: BatcherLimits, private readonly onHung: () => void) {}

  /** Requests wait while there is no predictor (a runner is being restarted), unless it is `down`: then they are answered 503 at once, as are those that another version can answer. */
  use(predictor: Predictor | null, down = false): void {
    this.#predictor = predictor;
    this.#down = down;
    this.#watch(); // a new predictor has a time of its own
    if (predictor) return this.#schedule();
    const gone = this.#queue.filter(({ hasStandIn }) => down || hasStandIn);
    for (const waiting of gone) {
      this.#remove(waiting);
      waiting.reject(new VersionDown('The model is being restarted.'));
    }
    this.#settleIdle();
  }

  get queuedRows(): number { return this.#queuedRows; }
  get busy(): boolean { return this.#atRunner.length > 0 || this.#queue.length > 0; }

  /** What the model gives for the rows, a row's numbers after another's. 503 where too many wait or the runner died, 504 where the deadline passed or is sure to. */
  predict(rows: Rows, call: PredictCall = {}): Promise<Outputs> {
    if (!this.#predictor && (this.#down || call.hasStandIn === true)) return Promise.reject(new VersionDown('The model is being restarted.'));
    const aheadMs = this.#latency.isSound ? this.#aheadMs() : 0;
    const full = this.#queuedRows > 0 && this.#queuedRows + rows.count > this.limits.queueRows;
    if (full || aheadMs > this.limits.deadlineMs) {
      return Promise.reject(new ServingError(503, 'Too many requests are waiting for this model.', { retryAfter: Math.max(1, Math.ceil(aheadMs / 1_000)) }));
    }
    const waiting = new Waiting(rows, { ...call, deadlineMs: Math.min(call.deadlineMs ?? Infinity, this.limits.deadlineMs) }, (expired) => { this.#remove(expired); });
    this.#queue.push(waiting);
    this.#queuedRows += rows.count;
    this.#schedule();
    return waiting.outputs;
  }

  /** Resolves when nothing waits and nothing is computed. */
  drained(): Promise<void> {
    return this.busy ? new Promise((done) => this.#idle.push(done)) : Promise.resolve();
  }

  /** Answers everything that waits with this error. */
  abandon(error: Error): void {
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
    this.#queuedRows = 0;
    this.#settleIdle();
  }

  #remove(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return; // it is at the runner
    this.#queue.splice(at, 1);
    this.#queuedRows -= waiting.rows.count;
    this.#settleIdle();
  }

  /** What is left of the batches at the runner, as far as is known. */
  #runnerMs(): number {
    const [first, ...next] = this.#atRunner;
    if (first === undefined) return 0;
    const firstMs = Math.max(0, this.#latency.expectedMs(first.rows) - (performance.now() - this.#computingSince));
    return next.reduce((sum, { rows }) => sum + this.#latency.expectedMs(rows), firstMs);
  }

  /** Until a request that came now would be computed. */
  #aheadMs(): number {
    const most = this.#mostRows(0);
    const batches = Math.floor(this.#queuedRows / most);
    return this.#runnerMs() + batches * this.#latency.expectedMs(most) + this.#latency.expectedMs(this.#queuedRows - batches * most);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#predictor && this.#hasRoom()) this.#send(this.#predictor);
    });
  }

  /** Whether what waits longest may be sent now. To a busy runner only a full batch is: a batch costs beside its rows, so a smaller one grows until the runner is idle. */
  #hasRoom(): boolean {
    const [oldest] = this.#queue;
    if (!oldest || this.#atRunner.length >= this.limits.inFlight) return false;
    if (this.#atRunner.length === 0) return true;
    return this.#queuedRows >= this.#rowsFor(oldest, this.#runnerMs()) && !(oldest.alone || this.#atRunner.some(({ alone }) => alone));
  }

  #send(predictor: Predictor): void {
    const batch = this.#take();
    if (batch.length === 0) return this.#settleIdle();
    const rows = rowsIn(batch);
    const sent = { rows, alone: batch.some(({ alone }) => alone) };
    this.#atRunner.push(sent);
    if (this.#atRunner.length === 1) {
      this.#computingSince = performance.now();
      this.#watch();
    }
    void this.#compute(predictor, batch).then((answered) => {
      this.#atRunner.splice(this.#atRunner.indexOf(sent), 1);
      if (answered) this.#latency.observe(rows, performance.now() - this.#computingSince);
      this.#computingSince = performance.now();
      this.#watch();
      this.#schedule();
      this.#settleIdle();
    });
  }

  /** Computes a batch and answers its requests. Where it is refused, its halves are computed on their own, down to the request that is to blame. True: computed whole. */
  async #compute(predictor: Predictor, batch: readonly Waiting[]): Promise<boolean> {
    const rows = rowsIn(batch);
    try {
      const outputs = await predictor.predict({ rows, input: joined(batch.map((waiting) => waiting.rows)) });
      if (outputs.length !== rows * this.outputs) throw new Error(`the runner gave ${outputs.length} values for ${rows} rows of ${this.outputs} outputs`);
      let at = 0;
      for (const waiting of batch) {
        const end = at + waiting.rows.count * this.outputs;
        waiting.resolve(outputs.subarray(at, end));
        at = end;
      }
      return true;
    } catch (cause) {
      if (cause instanceof RowsRefused && batch.length > 1) {
        const half = batch.length >> 1;
        await Promise.all([this.#compute(predictor, batch.slice(0, half)), this.#compute(predictor, batch.slice(half))]);
        return false;
      }
      const error = cause instanceof ServingError ? cause : new VersionDown(RUNNER_GONE, { inHands: true, cause });
      for (const waiting of batch) waiting.reject(error);
      return false;
    }
  }

  /** The next batch: as many rows as are expected to be done within the goal of the request that has waited longest. */
  #take(): Waiting[] {
    const startsInMs = this.#runnerMs();
    this.#refuseLate(startsInMs);
    const [oldest] = this.#queue;
    if (!oldest) return [];
    const most = this.#rowsFor(oldest, startsInMs);
    let rows = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && (waiting.alone || oldest.alone || rows + waiting.rows.count > most)) break;
      rows += waiting.rows.count;
      count += 1;
    }
    this.#queuedRows -= rows;
    return this.#queue.splice(0, count);
  }

  /** Rows of the next batch, which begins with this request and starts in so long. */
  #rowsFor({ arrivedAt }: Waiting, startsInMs: number): number {
    return this.#mostRows(this.limits.latencyGoalMs - startsInMs - (performance.now() - arrivedAt));
  }

  /** Rows of a batch that has `budgetMs` until its goal; where that is out of reach, as many as keep those behind within it, and no fewer than work the queue off. */
  #mostRows(budgetMs: number): number {
    const { batchRows, latencyGoalMs, inFlight } = this.limits;
    const shareMs = latencyGoalMs / (inFlight + 1);
    const isLate = budgetMs < shareMs;
    const inTime = this.#latency.rowsWithin(Math.max(shareMs, budgetMs));
    return Math.min(batchRows, isLate ? Math.max(inTime, Math.min(WARM_ROWS, this.#latency.rowsWithin(LATE_GOALS * latencyGoalMs))) : inTime);
  }

  /** 504 for those that are sure to be late: nothing is computed for them. */
  #refuseLate(startsInMs: number): void {
    if (!this.#latency.isSound) return;
    const startsAt = performance.now() + startsInMs;
    const late = this.#queue.filter(({ rows, deadlineAt }) => startsAt + this.#latency.expectedMs(rows.count) > deadlineAt);
    for (const waiting of late) {
      this.#remove(waiting);
      waiting.reject(tooLate());
    }
  }

  /** A request may have more rows than a batch, and a version may be slow: neither is an endless loop. */
  #watch(): void {
    if (this.#hung) clearTimeout(this.#hung);
    const [first] = this.#atRunner;
    this.#hung = first ? setTimeout(() => { this.onHung(); }, Math.max(this.limits.hungMs * Math.ceil(first.rows / this.limits.batchRows), HUNG_TIMES * this.#latency.expectedMs(first.rows))) : null;
  }

  #settleIdle(): void {
    if (this.busy) return;
    for (const done of this.#idle.splice(0)) done();
  }
}
