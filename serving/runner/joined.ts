import type { CellRow } from '../../domain/cells.js';
import type { RawRows } from '../../runtime/preprocess.js';
import type { Rows } from '../protocol/rows.js';

/** The rows of several requests as one batch. Rows of one model are all of one kind. */
export function joined(parts: readonly Rows[]): RawRows {
  const cells = parts.flatMap((part): readonly CellRow[] => (part.datatype === 'CELLS' ? part.input : []));
  if (cells.length > 0) return cells;
  const pixels = parts.map((part) => (part.datatype === 'UINT8' ? part.input : new Uint8Array()));
  const [only] = pixels;
  if (only && pixels.length === 1) return only;
  const bytes = new Uint8Array(pixels.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of pixels) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
