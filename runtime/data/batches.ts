import type { Preprocessor, RawRows } from '../preprocess.js';
import type { Prng } from '../prng.js';
import type { Window } from './epoch-order.js';

/** One batch, in buffers that the next batch uses again. */
export interface Batch { readonly rows: number; readonly inputs: Float32Array; readonly labels: Float32Array }

export interface BatchOptions {
  readonly batchSize: number;
  readonly preprocessor: Preprocessor;
  readonly pictures: boolean;
  /** For the batch of this number, whether and how to mirror; null: no mirroring. */
  readonly flips: ((batch: number) => Prng) | null;
  readonly firstBatch?: number;
}

/** Cuts windows into batches of preprocessed rows; a batch may span two windows, only the last one may be smaller. */
export function* batchesOf(windows: Iterable<Window>, { batchSize, preprocessor, pictures, flips, firstBatch = 0 }: BatchOptions): Generator<Batch> {
  const { width, apply } = preprocessor;
  const inputs = new Float32Array(batchSize * width);
  const labels = new Float32Array(batchSize);
  const mirrored = new Uint8Array(width);
  let [batch, filled] = [firstBatch, 0];
  let prng = flips?.(batch) ?? null;
  for (const { bytes, labels: known, order } of windows) {
    const raw: RawRows = pictures ? bytes : new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (const row of order) {
      labels[filled] = known[row] ?? 0;
      if (prng && prng.float() < 0.5) {
        mirror(bytes, row * width, mirrored, preprocessor.shape);
        apply(mirrored, 0, 1, inputs, filled * width);
      } else {
        apply(raw, row, 1, inputs, filled * width);
      }
      filled += 1;
      if (filled < batchSize) continue;
      yield { rows: filled, inputs, labels };
      [batch, filled] = [batch + 1, 0];
      prng = flips?.(batch) ?? null;
    }
  }
  if (filled > 0) yield { rows: filled, inputs, labels };
}

/** Mirrors a picture left to right. */
function mirror(bytes: Uint8Array, from: number, out: Uint8Array, [height = 0, width = 0, channels = 0]: readonly number[]): void {
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const source = from + (y * width + width - 1 - x) * channels;
      const target = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel += 1) out[target + channel] = bytes[source + channel] ?? 0;
    }
  }
}
