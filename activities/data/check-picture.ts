import { createHash } from 'node:crypto';
import { convertIndexedToRgb, decode, encode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import { NO_PICTURE, PICTURE_KINDS, pictureKind } from '../../domain/picture-kind.js';
import { declaredSize } from '../../domain/png-size.js';
import { MOST_PIXELS } from '../../domain/resize.js';
import type { PictureSize } from '../../domain/resize.js';
import { differenceHash } from '../../domain/picture-likeness.js';
import { fitPicture } from '../../runtime/data/fit-picture.js';
import type { PictureForm } from '../../runtime/data/fit-picture.js';
import { openPhoto } from '../../runtime/data/photo.js';
import { UnreadablePicture } from '../../runtime/data/unreadable-picture.js';
import type { PictureShape } from '../../runtime/data/picture.js';
import type { Check } from './findings.js';
import { figuresOf } from './profile/picture-figures.js';
import type { PictureFigures } from './profile/picture-figures.js';

/** A picture as snapshots keep it: `png` without palette, 8 bits a channel; `digest` the sha256 of its pixels, `looks` a hash that similar pictures have nearly alike. */
export type CheckedPicture =
  | { readonly ok: true; readonly png: Uint8Array; readonly digest: string; readonly looks: bigint; readonly figures: PictureFigures }
  | { readonly ok: false; readonly check: Check; readonly message: string };

/** Decodes a file fully (a picture that was cut short is found here) and compares it with the shape. Its first bytes tell what it is, not its name. */
export async function checkPicture(file: Uint8Array, shape: PictureShape): Promise<CheckedPicture> {
  const kind = pictureKind(file);
  if (kind === null) return { ok: false, check: 'unreadable', message: NO_PICTURE };
  if (kind === 'png') return checkPng(file, shape);
  try {
    const photo = await openPhoto(file);
    const misfit = wrongSize(photo, shape) ?? wrongColours(photo, shape);
    return misfit ?? packPicture(fitPicture(await photo.decode(), photo, shape), shape);
  } catch (error) {
    if (error instanceof UnreadablePicture) return { ok: false, check: 'unreadable', message: `not a whole ${PICTURE_KINDS[kind]} picture (${error.message})` };
    throw error;
  }
}

/** `checkPicture` of a PNG: of what snapshots keep, too. */
export function checkPng(file: Uint8Array, shape: PictureShape): CheckedPicture {
  const declared = declaredSize(file);
  const misfit = declared && wrongSize(declared, shape);
  if (misfit) return misfit;
  const decoded = tryDecode(file);
  if ('error' in decoded) return { ok: false, check: 'unreadable', message: `not a whole PNG picture (${decoded.error})` };
  const { width, height, palette } = decoded;
  const found = { height, width, channels: palette ? palette[0]?.length ?? 3 : decoded.channels, depth: palette ? 8 : decoded.depth };
  const wrong = wrongSize(found, shape) ?? wrongColours(found, shape);
  if (wrong) return wrong;
  const pixels = palette ? new Uint8Array(convertIndexedToRgb(decoded)) : new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.byteLength);
  const isAsItIs = !palette && found.channels === shape.channels && width === shape.width && height === shape.height;
  if (!isAsItIs) return packPicture(fitPicture(pixels, found, shape), shape);
  return { ok: true, png: file, digest: pixelDigest(pixels), looks: differenceHash(pixels, shape), figures: figuresOf(pixels, shape.channels) };
}

type Misfit = Extract<CheckedPicture, { ok: false }>;

function wrongSize({ height, width }: PictureSize, shape: PictureShape): Misfit | null {
  if (shape.resize === undefined) {
    return height === shape.height && width === shape.width ? null : { ok: false, check: 'wrong-shape', message: `pictures must be ${shape.height}×${shape.width}; found ${height}×${width}` };
  }
  return height * width <= MOST_PIXELS ? null : { ok: false, check: 'wrong-shape', message: `pictures may have ${MOST_PIXELS} pixels at most; found ${height}×${width}` };
}

/** Grey in a folder of colour is what encoders make of grey pictures; colour where grey is wanted, or transparency, is not what the model is for. */
function wrongColours({ height, width, channels, depth = 8 }: PictureForm & { readonly depth?: number }, shape: PictureShape): Misfit | null {
  if (depth === 8 && (channels === shape.channels || channels === 1)) return null;
  const wanted = `${shape.resize === undefined ? `${shape.height}×${shape.width}` : 'of any size,'} with ${shape.channels} channels of 8 bits`;
  return { ok: false, check: 'wrong-shape', message: `pictures must be ${wanted}; found ${height}×${width} with ${channels} channels of ${depth} bits` };
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
