import { createHash } from 'node:crypto';
import { convertIndexedToRgb, decode, encode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import { declaredSize } from '../../domain/png-size.js';
import { MOST_PIXELS, resizePixels } from '../../domain/resize.js';
import { differenceHash } from '../../domain/picture-likeness.js';
import type { PictureShape } from '../../runtime/data/picture.js';
import type { Check } from './findings.js';
import { figuresOf } from './profile/picture-figures.js';
import type { PictureFigures } from './profile/picture-figures.js';

/** A picture as snapshots keep it: `png` without palette, 8 bits a channel; `digest` the sha256 of its pixels, `looks` a hash that similar pictures have nearly alike. */
export type CheckedPicture =
  | { readonly ok: true; readonly png: Uint8Array; readonly digest: string; readonly looks: bigint; readonly figures: PictureFigures }
  | { readonly ok: false; readonly check: Check; readonly message: string };

/** Decodes a file fully (a picture that was cut short is found here) and compares it with the shape. */
export function checkPicture(file: Uint8Array, shape: PictureShape): CheckedPicture {
  const declared = declaredSize(file);
  if (declared && shape.resize !== undefined && declared.width * declared.height > MOST_PIXELS) {
    return { ok: false, check: 'wrong-shape', message: `pictures may have ${MOST_PIXELS} pixels at most; found ${declared.height}×${declared.width}` };
  }
  if (declared && shape.resize === undefined && (declared.width !== shape.width || declared.height !== shape.height)) {
    return { ok: false, check: 'wrong-shape', message: `pictures must be ${shape.height}×${shape.width}; found ${declared.height}×${declared.width}` };
  }
  const decoded = tryDecode(file);
  if ('error' in decoded) return { ok: false, check: 'unreadable', message: `not a whole PNG picture (${decoded.error})` };
  const { width, height, depth, palette } = decoded;
  const channels = palette ? palette[0]?.length ?? 3 : decoded.channels;
  const isOfSize = width === shape.width && height === shape.height;
  if ((!isOfSize && shape.resize === undefined) || channels !== shape.channels || (depth !== 8 && !palette)) {
    const found = `${height}×${width} with ${channels} channels of ${depth} bits`;
    return { ok: false, check: 'wrong-shape', message: `pictures must be ${shape.resize === undefined ? `${shape.height}×${shape.width}` : 'of any size,'} with ${shape.channels} channels of 8 bits; found ${found}` };
  }
  const pixels = palette ? new Uint8Array(convertIndexedToRgb(decoded)) : new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.byteLength);
  if (palette || !isOfSize) return packPicture(resizePixels(pixels, { height, width, channels }, shape, shape.resize ?? 'bilinear'), shape);
  return { ok: true, png: file, digest: pixelDigest(pixels), looks: differenceHash(pixels, shape), figures: figuresOf(pixels, channels) };
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
  return { ok: true, png: encode({ height: shape.height, width: shape.width, channels: shape.channels, depth: 8, data: pixels }), digest: pixelDigest(pixels), looks: differenceHash(pixels, shape), figures: figuresOf(pixels, shape.channels) };
}

export function pixelDigest(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex');
}
