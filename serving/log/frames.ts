import { crc32 } from 'node:zlib';

const PREFIX = 8;
/** No frame is larger: a length beyond it is damage, not data. */
export const FRAME_LIMIT = 256 * 1024 * 1024;

/** Frames a payload given in parts: length and CRC-32 (uint32, little-endian), then the payload. */
export function frame(parts: readonly Buffer[]): Buffer[] {
  const prefix = Buffer.allocUnsafe(PREFIX);
  let length = 0;
  let crc = 0;
  for (const part of parts) {
    if (part.length === 0) continue; // of nothing, crc32 starts again at 0
    length += part.length;
    crc = crc32(part, crc);
  }
  if (length > FRAME_LIMIT) throw new RangeError(`a record of ${length} bytes is too large for the prediction log (${FRAME_LIMIT} at most)`);
  prefix.writeUInt32LE(length, 0);
  prefix.writeUInt32LE(crc >>> 0, 4);
  return [prefix, ...parts];
}

/**
 * The payloads of a segment's frames, in order, one at a time. `onDamaged`: a whole frame's checksum does not match, damage of the disk. What comes after the
 * last whole frame was being written when the process died, its answer never sent.
 */
export function* readFrames(bytes: Buffer, onDamaged: () => void): Generator<Buffer> {
  let at = 0;
  while (at + PREFIX <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + PREFIX + length;
    if (length > FRAME_LIMIT || end > bytes.length) break;
    const payload = bytes.subarray(at + PREFIX, end);
    if (crc32(payload) === bytes.readUInt32LE(at + 4)) yield payload;
    else onDamaged();
    at = end;
  }
}
