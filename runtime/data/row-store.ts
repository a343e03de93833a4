import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import type { Labels } from './labels.js';

/** Packed raw rows of one width, with a label each: in memory when small, in a local file when not. */
export interface RowStore {
  readonly rows: number;
  readonly rowBytes: number;
  /** All rows, where they are in memory; then `read` is not needed. */
  readonly memory: { readonly bytes: Uint8Array; readonly labels: Labels } | null;
  /** A place for the labels of so many rows. */
  readonly createLabels: (rows: number) => Labels;
  /** Copies `count` rows from `start` on to the places from `at` on. */
  read(start: number, count: number, bytes: Uint8Array, labels: Labels, at: number): void;
  close(): void;
}

export interface RowWriter {
  append(bytes: Uint8Array, labels: Labels): void;
  finish(): RowStore;
}

/** Starts a store for up to `rows` rows; `file` is used (and removed on `close`) when they are larger than `budgetBytes`. */
export function createRowWriter({ rows, rowBytes, budgetBytes, file, createLabels }: { rows: number; rowBytes: number; budgetBytes: number; file: string; createLabels: RowStore['createLabels'] }): RowWriter {
  return rows * rowBytes <= budgetBytes ? memoryWriter(rows, rowBytes, createLabels) : fileWriter(rowBytes, file, createLabels);
}

function memoryWriter(capacity: number, rowBytes: number, createLabels: RowStore['createLabels']): RowWriter {
  const bytes = new Uint8Array(capacity * rowBytes);
  const labels = createLabels(capacity);
  let rows = 0;
  return {
    append: (more, moreLabels) => {
      bytes.set(more, rows * rowBytes);
      labels.set(moreLabels, rows);
      rows += moreLabels.length;
    },
    finish: () => ({
      rows, rowBytes, createLabels,
      memory: { bytes: bytes.subarray(0, rows * rowBytes), labels: labels.subarray(0, rows) },
      read: (start, count, into, labelsInto, at) => {
        into.set(bytes.subarray(start * rowBytes, (start + count) * rowBytes), at * rowBytes);
        labelsInto.set(labels.subarray(start, start + count), at);
      },
      close: () => undefined,
    }),
  };
}

function fileWriter(rowBytes: number, file: string, createLabels: RowStore['createLabels']): RowWriter {
  const labelBytes = createLabels(0).BYTES_PER_ELEMENT;
  const [data, labels] = [openSync(file, 'w+'), openSync(`${file}.labels`, 'w+')];
  // Removed at once: the open descriptors keep the bytes, and nothing is left behind however the process ends.
  unlinkSync(file);
  unlinkSync(`${file}.labels`);
  let rows = 0;
  return {
    append: (more, moreLabels) => {
      writeAll(data, more);
      writeAll(labels, new Uint8Array(moreLabels.buffer, moreLabels.byteOffset, moreLabels.byteLength));
      rows += moreLabels.length;
    },
    finish: () => ({
      rows, rowBytes, createLabels, memory: null,
      read: (start, count, into, labelsInto, at) => {
        readAll(data, into.subarray(at * rowBytes, (at + count) * rowBytes), start * rowBytes);
        readAll(labels, new Uint8Array(labelsInto.buffer, labelsInto.byteOffset + at * labelBytes, count * labelBytes), start * labelBytes);
      },
      close: () => { closeSync(data); closeSync(labels); },
    }),
  };
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done);
}

function readAll(descriptor: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length;) {
    const got = readSync(descriptor, into, done, into.length - done, position + done);
    if (got === 0) throw new Error(`the row cache ended at byte ${position + done}`);
    done += got;
  }
}
