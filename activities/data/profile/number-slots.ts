import type { NumbersState, ProfiledShape } from '../../../domain/profile/number-columns.js';

/** Rows that DuckDB gives at a time, at most. */
export const CHUNK_ROWS = 2048;
/** Chunks that are handed over at once: waking a thread takes as long as some of the work. */
const CHUNKS = 4;
const CLASS_BYTES = CHUNK_ROWS * Int32Array.BYTES_PER_ELEMENT;
const NUMBER_BYTES = CHUNK_ROWS * Float64Array.BYTES_PER_ELEMENT;

/** What the other thread is started with: what it profiles, and the memory that both share. */
export interface HelperData { readonly shape: ProfiledShape; readonly seed: number; readonly slots: readonly SharedArrayBuffer[] }
/** To the other thread: a slot with the rows of each of its chunks. It answers with the slot that is free again, and to the end with what it knows. */
export type ToHelper = { readonly slot: number; readonly rows: readonly number[] } | 'end';
export type FromHelper = number | NumbersState;

/** A chunk in shared memory: the classes of its rows, and each column's numbers. */
export interface SharedChunk { readonly classes: Int32Array; readonly numbers: readonly Float64Array[] }

const chunkBytes = (columns: number): number => CLASS_BYTES + columns * NUMBER_BYTES;
export const slotBytes = (columns: number): number => CHUNKS * chunkBytes(columns);

/** The chunks that a slot has place for. */
export function chunksOf(memory: SharedArrayBuffer, columns: number): SharedChunk[] {
  return Array.from({ length: CHUNKS }, (_, chunk) => {
    const at = chunk * chunkBytes(columns);
    return { classes: new Int32Array(memory, at, CHUNK_ROWS), numbers: Array.from({ length: columns }, (__, column) => new Float64Array(memory, at + CLASS_BYTES + column * NUMBER_BYTES, CHUNK_ROWS)) };
  });
}
