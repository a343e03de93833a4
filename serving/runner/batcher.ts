import { ServingError } from '../errors.js';
import type { Outputs } from '../../domain/outputs.js';
import type { CellRow } from '../../domain/cells.js';
import type { RawRows } from '../../runtime/preprocess.js';
import type { Rows } from '../protocol/rows.js';

/** What a batch needs of a runner: a row's outputs after another's. */
export interface Predictor { predict(batch: { rows: number; input: RawRows }): Promise<Outputs> }

export interface BatcherLimits {
  /** Rows in one batch, unless a single request has more. */
  batchRows: number;
  /** Batches at the runner at once: one is computed while the next one is on its way. */
  inFlight: number;
  /** Rows that may wait; beyond, requests are answered 503. */
  queueRows: number;
  /** After this time a request is answered 504. */
  deadlineMs: number;
}

interface Waiting { rows: Rows; resolve: (outputs: Outputs) => void; reject: (error: Error) => void; settled: boolean }

/** Collects what arrives while the runner is busy into batches. */
export class Batcher {
  #queue: Waiting[] = [];
  #queuedRows = 0;
  #inFlight = 0;
  #scheduled = false;
  #predictor: Predictor | null = null;
  #idle: (() => void)[] = [];

  /** `outputs`: numbers that the model gives for a row. */
  constructor(private readonly outputs: number, private readonly limits: BatcherLimits, private readonly onHung: () => void) {}

  /** Requests wait while there is no predictor (a runner is being restarted). */
  use(predictor: Predictor | null): void {
    this.#predictor = predictor;
    if (predictor) this.#schedule();
  }

  get queuedRows(): number { return this.#queuedRows; }
  get busy(): boolean { return this.#inFlight > 0 || this.#queue.length > 0; }

  /** What the model gives for the rows, a row's numbers after another's. 503 where too many wait or the runner died, 504 where the deadline passed. */
  predict(rows: Rows): Promise<Outputs> {
    if (this.#queuedRows > 0 && this.#queuedRows + rows.count > this.limits.queueRows) {
      return Promise.reject(new ServingError(503, 'Too many requests are waiting for this model.', { retryAfter: 1 }));
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { rows, resolve, reject, settled: false };
      const timer = setTimeout(() => this.#expire(waiting), this.limits.deadlineMs);
      const settle = <T>(then: (value: T) => void) => (value: T) => {
        if (waiting.settled) return;
        waiting.settled = true;
        clearTimeout(timer);
        then(value);
      };
      waiting.resolve = settle(resolve);
      waiting.reject = settle(reject);
      this.#queue.push(waiting);
      this.#queuedRows += rows.count;
      this.#schedule();
    });
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

  #expire(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting);
    if (at >= 0) {
      this.#queue.splice(at, 1);
      this.#queuedRows -= waiting.rows.count;
    } else {
      this.onHung(); // it is at the runner, which does not answer: an endless loop
    }
    waiting.reject(new ServingError(504, 'The prediction took too long.', { retryAfter: 1 }));
    this.#settleIdle();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#predictor && this.#inFlight < this.limits.inFlight && this.#queue.length > 0) void this.#send(this.#predictor);
    });
  }

  async #send(predictor: Predictor): Promise<void> {
    const batch = this.#take();
    const [first] = batch;
    if (!first) return;
    this.#inFlight += 1;
    try {
      const rows = batch.reduce((sum, waiting) => sum + waiting.rows.count, 0);
      const outputs = await predictor.predict({ rows, input: joined(batch.map((waiting) => waiting.rows)) });
      if (outputs.length !== rows * this.outputs) throw new Error(`the runner gave ${outputs.length} values for ${rows} rows of ${this.outputs} outputs`);
      let at = 0;
      for (const waiting of batch) {
        const end = at + waiting.rows.count * this.outputs;
        waiting.resolve(outputs.subarray(at, end));
        at = end;
      }
    } catch (cause) {
      const error = cause instanceof ServingError ? cause : new ServingError(503, 'The model stopped while it computed this prediction; it is being restarted.', { retryAfter: 1, cause });
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#inFlight -= 1;
      this.#schedule();
      this.#settleIdle();
    }
  }

  #take(): Waiting[] {
    let rows = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && rows + waiting.rows.count > this.limits.batchRows) break;
      rows += waiting.rows.count;
      count += 1;
    }
    this.#queuedRows -= rows;
    return this.#queue.splice(0, count);
  }

  #settleIdle(): void {
    if (this.busy) return;
    for (const done of this.#idle.splice(0)) done();
  }
}

/** Rows of one model are all of one kind. */
function joined(parts: readonly Rows[]): RawRows {
  const cells = parts.flatMap((part): readonly CellRow[] => (part.datatype === 'CELLS' ? part.input : []));
  if (cells.length > 0) return cells;
  const pixels = parts.map((part) => (part.datatype === 'UINT8' ? part.input : new Uint8Array()));
  const bytes = new Uint8Array(pixels.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of pixels) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
