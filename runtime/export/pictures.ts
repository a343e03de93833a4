import { decodePictureFile, takePixels } from '../data/picture.js';
import type { PictureShape } from '../data/picture.js';
import type { Exported } from './load.js';

/** Pixels that are unpacked already, as a canvas gives them (`ImageData`): row by row, with 1 to 4 channels. */
interface Pixels { readonly width: number; readonly height: number; readonly data: Uint8Array | Uint8ClampedArray }

/** Pictures as the model takes them, one after another: files decoded, and resized where the model does, by the code of training and serving. */
export async function readPictures(rows: readonly unknown[], { preprocessing }: Exported): Promise<Uint8Array> {
  if (preprocessing.kind !== 'image') throw new TypeError('the model takes no pictures');
  const { height, width, channels } = preprocessing;
  const pixels = new Uint8Array(rows.length * height * width * channels);
  for (const [at, row] of rows.entries()) pixels.set(await readPicture(row, preprocessing, at), at * height * width * channels);
  return pixels;
}

async function readPicture(row: unknown, shape: PictureShape, at: number): Promise<Uint8Array> {
  if (row instanceof Blob) return decodePictureFile(new Uint8Array(await row.arrayBuffer()), shape, String(at));
  if (row instanceof ArrayBuffer) return decodePictureFile(new Uint8Array(row), shape, String(at));
  if (row instanceof Uint8Array) return decodePictureFile(row, shape, String(at));
  if (!isPixels(row)) throw new TypeError(`row ${at}: a picture is the bytes of its file (Uint8Array, ArrayBuffer, Blob), or { width, height, data } with its pixels`);
  const { height, width, data } = row;
  const channels = data.length / (height * width);
  if (![1, 2, 3, 4].includes(channels)) throw new TypeError(`row ${at}: ${data.length} numbers are no picture of ${width} × ${height} with 1 to 4 channels`);
  return takePixels(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), { height, width, channels }, shape, String(at));
}

function isPixels(row: unknown): row is Pixels {
  return typeof row === 'object' && row !== null && 'width' in row && 'height' in row && 'data' in row && Number.isInteger(row.width) && Number.isInteger(row.height)
    && (row.data instanceof Uint8Array || row.data instanceof Uint8ClampedArray);
}
