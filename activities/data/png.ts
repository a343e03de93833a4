import { createHash } from 'node:crypto';
import { convertIndexedToRgb, decode, encode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import { differenceHash } from '../../domain/picture-likeness.js';
import type { Check } from './findings.js';
import { figuresOf } from './profile/picture-figures.js';
import type { PictureFigures } from './profile/picture-figures.js';

/** What a definition says of its pictures: pixels, and 1 (grey) or 3 (RGB) channels of 8 bits. */
export interface PictureShape { readonly height: number; readonly width: number; readonly channels: number }

/** A picture as snapshots keep it: `png` without palette, 8 bits a channel; `digest` the sha256 of its pixels, `looks` a hash that similar pictures have nearly alike. */
export type CheckedPicture =
  | { readonly ok: true; readonly png: Uint8Array; readonly digest: string; readonly looks: bigint; readonly figures: PictureFigures }
  | { readonly ok: false; readonly check: Check; readonly message: string };

/** Name of the first chunk of a PNG (PNG specification, 11.2.1). */
const IHDR = 0x49484452;

/** Decodes a file fully (a picture that was cut short is found here) and compares it with the shape. */
export function checkPicture(file: Uint8Array, shape: PictureShape): CheckedPicture {
  const declared = declaredSize(file);
  if (declared && (declared.width !== shape.width || declared.height !== shape.height)) {
    return { ok: false, check: 'wrong-shape', message: `pictures must be ${shape.height}×${shape.width}; found ${declared.height}×${declared.width}` };
  }
  const decoded = tryDecode(file);
  if ('error' in decoded) return { ok: false, check: 'unreadable', message: `not a whole PNG picture (${decoded.error})` };
  const { width, height, depth, palette } = decoded;
  const channels = palette ? palette[0]?.length ?? 3 : decoded.channels;
  if (width !== shape.width || height !== shape.height || channels !== shape.channels || (depth !== 8 && !palette)) {
    const found = `${height}×${width} with ${channels} channels of ${depth} bits`;
    return { ok: false, check: 'wrong-shape', message: `pictures must be ${shape.height}×${shape.width} with ${shape.channels} channels of 8 bits; found ${found}` };
  }
  if (palette) return packPicture(new Uint8Array(convertIndexedToRgb(decoded)), shape);
  const pixels = new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.byteLength);
  return { ok: true, png: file, digest: pixelDigest(pixels), looks: differenceHash(pixels, shape), figures: figuresOf(pixels, channels) };
}

/** What a PNG's header says of its size, before anything is unpacked: a small file may declare gigabytes. Null where there is no such header. */
function declaredSize(file: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return file.length >= 24 && view.getUint32(12) === IHDR ? { width: view.getUint32(16), height: view.getUint32(20) } : null;
}

function tryDecode(file: Uint8Array): DecodedPng | { error: string } {
  try {
    return decode(file, { checkCrc: true });
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Raw pixels (uint8, `[height, width, channels]` row-major) as a PNG. */
export function packPicture(pixels: Uint8Array, shape: PictureShape): CheckedPicture {
  const bytes = shape.height * shape.width * shape.channels;
  if (pixels.length !== bytes) return { ok: false, check: 'wrong-shape', message: `pixels must be ${bytes} bytes (${shape.height}×${shape.width}×${shape.channels}); found ${pixels.length}` };
  return { ok: true, png: encode({ ...shape, depth: 8, data: pixels }), digest: pixelDigest(pixels), looks: differenceHash(pixels, shape), figures: figuresOf(pixels, shape.channels) };
}

export function pixelDigest(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex');
}
