import { Worker } from 'node:worker_threads';
import { isNumeric } from '../../../domain/profile/number-columns.js';
import type { NumbersState, ProfiledShape } from '../../../domain/profile/number-columns.js';
import { builtFile } from '../../../runtime/child/program-path.js';
import { chunksOf, slotBytes } from './number-slots.js';
import type { FromHelper, HelperData, SharedChunk, ToHelper } from './number-slots.js';

/** What waits for the other thread takes about so much memory. */
const WAITING_BYTES = 5e6;

/**
 * A second thread that takes in a profile's columns of numbers, which is most of the work. The profile is the same to the last bit as that of one
 * thread: these columns know nothing of the others, and get the same rows in the same chunks. `close()` it, whatever happened.
 */
export class NumberHelper {
  readonly #slots: readonly (readonly SharedChunk[])[];

  readonly #free: number[];

  readonly #thread: Worker;

  /** The slot that is being filled, with the rows of its chunks. */
  #filling: { readonly slot: number; readonly rows: number[] } | null = null;

  /** Who waits for the thread's next answer. */
  #waiting: { resolve: () => void; reject: (error: Error) => void } | null = null;

  #failed: Error | null = null;

  #state: NumbersState | null = null;

  /** @param seed of the profile */
  constructor(shape: ProfiledShape, seed: number) {
    const columns = shape.columns.filter(isNumeric).length;
    const bytes = slotBytes(columns);
    const slots = Array.from({ length: Math.max(2, Math.floor(WAITING_BYTES / bytes)) }, () => new SharedArrayBuffer(bytes));
    this.#slots = slots.map((slot) => chunksOf(slot, columns));
    this.#free = [...slots.keys()];
    this.#thread = new Worker(builtFile('activities/data/profile/number-thread.js'), { workerData: { shape, seed, slots } satisfies HelperData });
    this.#thread.on('message', (answer: FromHelper) => {
      if (typeof answer === 'number') this.#free.push(answer);
      else this.#state = answer;
      this.#waiting?.resolve();
      this.#waiting = null;
    });
    this.#thread.on('error', (error) => { this.#fail(error); });
    this.#thread.on('exit', () => { this.#fail(new Error('the thread that profiles numbers has ended')); });
  }

  /** Hands on a chunk, once there is place for it: it is copied. @param numbers of each column of numbers, in their order */
  async add(rows: number, classes: Int32Array, numbers: readonly Float64Array[]): Promise<void> {
    const { slot, rows: chunks } = this.#filling ??= { slot: await this.#freeSlot(), rows: [] };
    const shared = this.#slots[slot] ?? [];
    const chunk = shared[chunks.length];
    if (!chunk) throw new RangeError('a slot has no place for another chunk');
    chunk.classes.set(classes);
    numbers.forEach((values, at) => { chunk.numbers[at]?.set(values); });
    chunks.push(rows);
    if (chunks.length === shared.length) this.#handOver();
  }

  /** What the columns are like, once all that was handed on is taken in. */
  async state(): Promise<NumbersState> {
    this.#handOver();
    this.#send('end');
    while (!this.#state) await this.#answer();
    return this.#state;
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  async #freeSlot(): Promise<number> {
    for (;;) {
      const slot = this.#free.pop();
      if (slot !== undefined) return slot;
      await this.#answer();
    }
  }

  #handOver(): void {
    if (this.#filling) this.#send(this.#filling);
    this.#filling = null;
  }

  #send(message: ToHelper): void {
    this.#thread.postMessage(message);
  }

  #answer(): Promise<void> {
    if (this.#failed) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    this.#waiting?.reject(this.#failed);
    this.#waiting = null;
  }
}
