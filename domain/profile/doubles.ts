import { fromBase64, toBase64 } from '../base64.js';

/** Numbers as little-endian doubles in base64. */
export function encodeDoubles(values: ArrayLike<number>): string {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  for (let index = 0; index < values.length; index += 1) view.setFloat64(index * 8, values[index] as number, true);
  return toBase64(new Uint8Array(view.buffer));
}

/** @throws RangeError for text that {@link encodeDoubles} did not write */
export function decodeDoubles(text: string): number[] {
  const bytes = decodeBytes(text);
  if (bytes.length % 8 !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of doubles`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
}

export function decodeBytes(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (!bytes) throw new RangeError('not base64');
  return bytes;
}
