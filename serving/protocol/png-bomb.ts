import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { pictureKind } from '../../domain/picture-kind.js';
import { declaredSize } from '../../domain/png-size.js';
import { ServingError } from '../errors.js';

const unpacked = promisify(inflate);

/** Deflate packs 1,032 bytes into one at best (zlib, Technical Details), so files below this many packed bytes do no harm. */
const HARMLESS = 64 * 1024;
/** Four channels of 16 bits and a filter's byte a row; interlaced rows are shorter, and more. */
const mostBytes = ({ width, height }: { readonly width: number; readonly height: number }): number => 2 * height * (width * 8 + 1) + 1_024;
const MOST_PROFILE = 16 * 1024 ** 2;

/** 422 for a PNG whose pixels, or colour profile, unpack to more than its header says, or that has several: a decoder would take gigabytes for it, on the thread that serves everybody. */
export async function refusePngBomb(file: Uint8Array, name: string): Promise<void> {
  if (pictureKind(file) !== 'png') return;
  const size = declaredSize(file);
  if (!size) throw new ServingError(422, `Input "${name}": a PNG does not begin with its header.`);
  const pixels: Uint8Array[] = [];
  let headers = 0;
  for (const { type, data } of chunksOf(file)) {
    if (type === 'IHDR' && (headers += 1) > 1) throw new ServingError(422, `Input "${name}": a PNG has several headers.`);
    if (type === 'IDAT') pixels.push(data);
    if (type === 'iCCP' && data.length >= HARMLESS) await refuseLarger(data.subarray(data.indexOf(0) + 2), MOST_PROFILE, name);
  }
  const packed = Buffer.concat(pixels);
  if (packed.length >= HARMLESS) await refuseLarger(packed, mostBytes(size), name);
}

async function refuseLarger(packed: Uint8Array, maxOutputLength: number, name: string): Promise<void> {
  try {
    await unpacked(packed, { maxOutputLength });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw new ServingError(422, `Input "${name}": a PNG unpacks to more than its header says.`);
    // What is damaged is for the decoder to tell.
  }
}

/** Length, type, data and checksum, one after another (PNG specification, 5.3); as far as they are whole. */
function* chunksOf(file: Uint8Array): Generator<{ readonly type: string; readonly data: Uint8Array }> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end > file.length) return;
    yield { type: Buffer.from(file.subarray(at + 4, at + 8)).toString('latin1'), data: file.subarray(at + 8, end) };
    at = end + 4;
  }
}
