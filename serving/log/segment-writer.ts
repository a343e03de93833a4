import { mkdirSync, writevSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ServingError } from '../errors.js';
import { frame } from './frames.js';

interface Pending { buffers: Buffer[]; bytes: number; done: () => void; failed: (error: unknown) => void }

export interface SegmentWriter {
  /** Resolves once the record is with the operating system: from then on it survives the process being killed. */
  append(parts: readonly Buffer[]): Promise<void>;
  /** Closes the segment in use, if anything is in it, so that it can be shipped. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Up to this size a write is made in this thread: to hand it to the thread pool and to be told of its end costs several times what it takes to
 * copy it to the operating system. A write that took long (the disk cannot take what it is given) sends those of the time after it to the pool, so that no
 * other request waits for the disk.
 */
const WRITTEN_HERE_BYTES = 256 * 1024;
const SLOW_WRITE_MS = 50;
const AFTER_SLOW_MS = 1_000;

/** Suffix of the segment being written, and of those that are complete. */
export const OPEN = '.open';
export const CLOSED = '.log';

/**
 * Appends frames to numbered files of `folder`. What arrives in one turn of the event loop's queue, or while a write is under way, is written together.
 * A write that fails is taken back, so that nothing after it is lost behind half a frame.
 */
export function createSegmentWriter(folder: string, { segmentBytes }: { segmentBytes: number }): SegmentWriter {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const queue: Pending[] = [];
  let file: FileHandle | null = null;
  let number = 0;
  let size = 0;
  let working: Promise<void> = Promise.resolve();
  /** Steps that were begun, or wait for those before them. */
  let steps = 0;
  let scheduled = false;
  let slowUntil = -Infinity;

  const name = (suffix: string) => join(folder, `${String(number).padStart(10, '0')}${suffix}`);

  async function finish(): Promise<void> {
    if (file === null) return;
    const [closing, bytes, from, to] = [file, size, name(OPEN), name(CLOSED)];
    file = null;
    size = 0;
    number += 1; // whatever happens to this file, the next record goes to another one
    await closing.close();
    if (bytes > 0) await rename(from, to);
    else await rm(from, { force: true });
  }

  /** Writes what has arrived: here, where nothing is under way and it is soon done, else by the thread pool. */
  function write(): void {
    if (queue.length === 0) return; // a flush has taken it along
    const isSoonDone = steps === 0 && sizeOf(queue) <= WRITTEN_HERE_BYTES && performance.now() >= slowUntil;
    if (!isSoonDone || file === null) return begin(flush);
    scheduled = false;
    const batch = queue.splice(0);
    try {
      const startedAt = performance.now();
      grown(batch, writevSync(file.fd, buffersOf(batch), size));
      const endedAt = performance.now();
      if (endedAt - startedAt > SLOW_WRITE_MS) slowUntil = endedAt + AFTER_SLOW_MS;
    } catch (error) {
      refuse(batch, error);
      return begin(takeBack);
    }
    for (const pending of batch) pending.done();
    if (size >= segmentBytes) begin(finish);
  }

  async function flush(): Promise<void> {
    scheduled = false;
    const batch = queue.splice(0);
    if (batch.length === 0) return;
    try {
      file ??= await open(name(OPEN), 'ax', 0o600);
      grown(batch, (await file.writev(buffersOf(batch), size)).bytesWritten);
    } catch (error) {
      refuse(batch, error);
      await takeBack();
      return;
    }
    for (const pending of batch) pending.done();
    if (size >= segmentBytes) await finish();
  }

  function grown(batch: readonly Pending[], bytesWritten: number): void {
    const wanted = sizeOf(batch);
    if (bytesWritten !== wanted) throw new Error(`only ${bytesWritten} of ${wanted} bytes were written: is the disk full?`);
    size += wanted;
  }

  async function takeBack(): Promise<void> {
    if (file === null) return;
    try {
      await file.truncate(size);
    } catch {
      // The tail of this file is unknown: readers stop at it, and the next record starts a new file.
      await finish();
    }
  }

  /** One thing at a time: flushes, rotations and the end follow each other. */
  function after(step: () => Promise<void>): Promise<void> {
    steps += 1;
    const result = working.then(step).finally(() => { steps -= 1; });
    working = result.catch(() => undefined);
    return result;
  }

  /** A step that nobody waits for: of its records each was told, and a segment that could not be closed is shipped once this process has ended. */
  function begin(step: () => Promise<void>): void {
    after(step).catch(() => undefined);
  }

  return {
    append: (parts) => new Promise((done, failed) => {
      const buffers = frame(parts);
      queue.push({ buffers, bytes: buffers.reduce((sum, buffer) => sum + buffer.length, 0), done, failed });
      if (scheduled) return;
      scheduled = true;
      process.nextTick(write); // after all that one message of a runner answers
    }),
    rotate: () => after(finish),
    close: () => after(flush).then(() => after(finish)),
  };
}

const sizeOf = (batch: readonly Pending[]): number => batch.reduce((sum, { bytes }) => sum + bytes, 0);
const buffersOf = (batch: readonly Pending[]): Buffer[] => batch.flatMap(({ buffers }) => buffers);

function refuse(batch: readonly Pending[], cause: unknown): void {
  for (const { failed } of batch) failed(new ServingError(503, 'The prediction log cannot be written; no answer leaves without it.', { retryAfter: 2, cause }));
}
