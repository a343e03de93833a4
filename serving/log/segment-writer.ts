import { mkdirSync } from 'node:fs';
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

/** Suffix of the segment being written, and of those that are complete. */
export const OPEN = '.open';
export const CLOSED = '.log';

/**
 * Appends frames to numbered files of `folder`. What arrives while a write is under way is written together with the next one.
 * A write that fails is taken back, so that nothing after it is lost behind half a frame.
 */
export function createSegmentWriter(folder: string, { segmentBytes }: { segmentBytes: number }): SegmentWriter {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const queue: Pending[] = [];
  let file: FileHandle | null = null;
  let number = 0;
  let size = 0;
  let working: Promise<void> = Promise.resolve();
  let scheduled = false;

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

  async function flush(): Promise<void> {
    scheduled = false;
    const batch = queue.splice(0);
    if (batch.length === 0) return;
    try {
      file ??= await open(name(OPEN), 'ax', 0o600);
      const buffers = batch.flatMap((pending) => pending.buffers);
      const wanted = batch.reduce((sum, pending) => sum + pending.bytes, 0);
      const { bytesWritten } = await file.writev(buffers, size);
      if (bytesWritten !== wanted) throw new Error(`only ${bytesWritten} of ${wanted} bytes were written: is the disk full?`);
      size += wanted;
    } catch (error) {
      for (const pending of batch) pending.failed(new ServingError(503, 'The prediction log cannot be written; no answer leaves without it.', { retryAfter: 2, cause: error }));
      await takeBack();
      return;
    }
    for (const pending of batch) pending.done();
    if (size >= segmentBytes) await finish();
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
    const result = working.then(step);
    working = result.catch(() => undefined);
    return result;
  }

  return {
    append: (parts) => new Promise((done, failed) => {
      const buffers = frame(parts);
      queue.push({ buffers, bytes: buffers.reduce((sum, buffer) => sum + buffer.length, 0), done, failed });
      if (scheduled) return;
      scheduled = true;
      after(flush).catch(failed);
    }),
    rotate: () => after(finish),
    close: () => after(flush).then(() => after(finish)),
  };
}
