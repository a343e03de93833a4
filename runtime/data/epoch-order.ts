import { Prng } from '../prng.js';
import type { Labels } from './labels.js';
import type { RowStore } from './row-store.js';

/** Rows that are in memory together, and the order in which to take them. */
export interface Window { readonly bytes: Uint8Array; readonly labels: Labels; readonly order: Uint32Array }

const BLOCK_BYTES = 1024 * 1024;

/**
 * The rows of one epoch as shuffled windows. A store in memory is one window: a full permutation. A store on disk is cut into
 * blocks of about 1 MB; their order is shuffled, and the rows of as many blocks as the budget holds are shuffled
 * together. The order follows from the seed and the epoch alone, so that a resumed run finds its place without any state.
 * `skipRows`: rows at the start that are not wanted; whole windows of them are not read.
 */
export function* epochWindows(store: RowStore, seed: number, epoch: number, budgetBytes: number, skipRows: number): Generator<Window> {
  if (store.memory) {
    yield { ...store.memory, order: Prng.of(seed, 'rows', epoch).permutation(store.rows).subarray(skipRows) };
    return;
  }
  const blockRows = Math.max(1, Math.floor(BLOCK_BYTES / store.rowBytes));
  const blocks = Prng.of(seed, 'blocks', epoch).permutation(Math.ceil(store.rows / blockRows));
  const blocksPerWindow = Math.max(1, Math.floor(budgetBytes / (blockRows * store.rowBytes)));
  const bytes = new Uint8Array(blockRows * blocksPerWindow * store.rowBytes);
  const labels = store.createLabels(blockRows * blocksPerWindow);
  let left = skipRows;
  for (let first = 0; first < blocks.length; first += blocksPerWindow) {
    const chosen = blocks.subarray(first, first + blocksPerWindow);
    const sizes = Array.from(chosen, (block) => Math.min(blockRows, store.rows - block * blockRows));
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    const skipped = Math.min(left, rows);
    left -= skipped;
    if (skipped === rows) continue;
    let at = 0;
    chosen.forEach((block, index) => {
      const size = sizes[index] ?? 0;
      store.read(block * blockRows, size, bytes, labels, at);
      at += size;
    });
    yield { bytes, labels, order: Prng.of(seed, 'window', epoch, first).permutation(rows).subarray(skipped) };
  }
}

/** The rows of a store in their own order, as windows: small ones, since nothing is shuffled. */
export function* orderedWindows(store: RowStore): Generator<Window> {
  if (store.memory) {
    yield { ...store.memory, order: Uint32Array.from({ length: store.rows }, (_, row) => row) };
    return;
  }
  const windowRows = Math.max(1, Math.floor(BLOCK_BYTES / store.rowBytes));
  const bytes = new Uint8Array(windowRows * store.rowBytes);
  const labels = store.createLabels(windowRows);
  for (let start = 0; start < store.rows; start += windowRows) {
    const rows = Math.min(windowRows, store.rows - start);
    store.read(start, rows, bytes, labels, 0);
    yield { bytes, labels, order: Uint32Array.from({ length: rows }, (_, row) => row) };
  }
}
