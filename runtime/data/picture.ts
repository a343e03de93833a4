import { decode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import type { ResizeMethod } from '../../definition/resize.js';
import { NO_PICTURE, PICTURE_KINDS, pictureKind } from '../../domain/picture-kind.js';
import { declaredSize } from '../../domain/png-size.js';
import { MOST_PIXELS } from '../../domain/resize.js';
import type { PictureSize } from '../../domain/resize.js';
import { PerennialError } from '../../contract/errors.js';
import { fitPicture } from './fit-picture.js';
import type { PictureForm } from './fit-picture.js';
import { openPhoto } from './photo.js';
import { UnreadablePicture } from './unreadable-picture.js';

/** What a definition says of its pictures: pixels, and 1 (grey) or 3 (RGB) channels of 8 bits; and whether those of another size are resized. */
export interface PictureShape { readonly height: number; readonly width: number; readonly channels: number; readonly resize?: ResizeMethod | undefined }

const refused = (key: string, problem: string, cause?: unknown) => new PerennialError('data/blocked', `row '${key}': ${problem}`, { key }, { cause });

/**
 * Decodes a PNG to bytes `[height, width, channels]`. Grey is repeated for three channels and colour is weighted (ITU-R
 * BT.601) for one; transparency is dropped. No PNG, or another size where the model does not resize, is `data/blocked` and names the row.
 */
export function decodePicture(png: Uint8Array, shape: PictureShape, key: string): Uint8Array {
  const declared = declaredSize(png);
  if (declared) refuseTooLarge(declared, key);
  let picture: DecodedPng;
  try {
    picture = decode(png);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused(key, `the picture is no readable PNG (${why.endsWith('undefined') ? 'its pixels end early' : why})`, cause);
  }
  refuseOtherSize(picture, shape, key);
  const { palette, depth, data } = picture;
  if (palette) {
    const colours = Uint8Array.from({ length: picture.height * picture.width * 3 }, (_, at) => palette[data[Math.floor(at / 3)] ?? 0]?.[at % 3] ?? 0);
    return fitPicture(colours, { ...picture, channels: 3 }, shape);
  }
  if (depth < 8) throw refused(key, `a PNG of ${depth} bits is not supported; save it with 8`);
  const bytes = depth === 16 ? Uint8Array.from(data, (value) => value >> 8) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return fitPicture(bytes, picture, shape);
}

/** As `decodePicture`, of a PNG, JPEG or WebP: its first bytes tell which. Pictures of cameras are turned upright first. */
export async function decodePictureFile(file: Uint8Array, shape: PictureShape, key: string): Promise<Uint8Array> {
  return (await openPictureFile(file)).decode(shape, key);
}

/** A picture's file of which only the header was read. */
export interface PictureFile {
  /** What the header says, before anything is unpacked; null where it says nothing that can be read. */
  readonly size: PictureSize | null;
  /** As `decodePictureFile`; the header is not read again. */
  readonly decode: (shape: PictureShape, key: string) => Promise<Uint8Array>;
}

export async function openPictureFile(file: Uint8Array): Promise<PictureFile> {
  const kind = pictureKind(file);
  if (kind === null) return { size: declaredSize(file), decode: (_shape, key) => Promise.reject(refused(key, NO_PICTURE)) };
  if (kind === 'png') return { size: declaredSize(file), decode: async (shape, key) => decodePicture(file, shape, key) };
  const told = <T>(key: string, work: () => Promise<T>) => work().catch((cause: unknown) => {
    if (cause instanceof UnreadablePicture) throw refused(key, `the picture is no readable ${PICTURE_KINDS[kind]} (${cause.message})`, cause);
    throw cause;
  });
  const photo = await openPhoto(file).catch((error: unknown) => {
    if (error instanceof UnreadablePicture) return error;
    throw error;
  });
  if (photo instanceof UnreadablePicture) return { size: null, decode: (_shape, key) => told(key, () => Promise.reject(photo)) };
  return {
    size: photo,
    decode: (shape, key) => told(key, async () => {
      refuseTooLarge(photo, key);
      refuseOtherSize(photo, shape, key);
      return fitPicture(await photo.decode(), photo, shape);
    }),
  };
}

/** As `decodePicture`, of pixels that are unpacked already. */
export function takePixels(pixels: Uint8Array, found: PictureForm, shape: PictureShape, key: string): Uint8Array {
  refuseTooLarge(found, key);
  refuseOtherSize(found, shape, key);
  return fitPicture(pixels, found, shape);
}

function refuseTooLarge({ height, width }: PictureSize, key: string): void {
  if (height * width > MOST_PIXELS) throw refused(key, `the picture is ${width} × ${height}; it may have ${MOST_PIXELS} pixels at most`);
}

function refuseOtherSize({ height, width }: PictureSize, shape: PictureShape, key: string): void {
  if (shape.resize === undefined && (height !== shape.height || width !== shape.width)) throw refused(key, `the picture is ${width} × ${height}, the definition says ${shape.width} × ${shape.height}`);
}
