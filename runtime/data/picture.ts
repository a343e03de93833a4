import { decode } from 'fast-png';
import type { ResizeMethod } from '../../definition/resize.js';
import { declaredSize } from '../../domain/png-size.js';
import { MOST_PIXELS, resizePixels } from '../../domain/resize.js';
import { PerennialError } from '../../contract/errors.js';

/** What a definition says of its pictures: pixels, and 1 (grey) or 3 (RGB) channels of 8 bits; and whether those of another size are resized. */
export interface PictureShape { readonly height: number; readonly width: number; readonly channels: number; readonly resize?: ResizeMethod | undefined }

/**
 * Decodes a PNG to bytes `[height, width, channels]`. Grey is repeated for three channels and colour is weighted (ITU-R
 * BT.601) for one; transparency is dropped. No PNG, or another size where the model does not resize, is `data/blocked` and names the row.
 */
export function decodePicture(png: Uint8Array, { height: wantedHeight, width: wantedWidth, channels, resize }: PictureShape, key: string): Uint8Array {
  const declared = declaredSize(png);
  if (declared && declared.height * declared.width > MOST_PIXELS) throw new PerennialError('data/blocked', `row '${key}': the picture is ${declared.width} × ${declared.height}; it may have ${MOST_PIXELS} pixels at most`, { key });
  let picture: ReturnType<typeof decode>;
  try {
    picture = decode(png);
  } catch (cause) {
    throw new PerennialError('data/blocked', `row '${key}': the picture is no readable PNG (${cause instanceof Error ? cause.message : String(cause)})`, { key }, { cause });
  }
  const { height, width } = picture;
  if (resize === undefined && (height !== wantedHeight || width !== wantedWidth)) throw new PerennialError('data/blocked', `row '${key}': the picture is ${width} × ${height}, the definition says ${wantedWidth} × ${wantedHeight}`, { key });
  const { palette } = picture;
  const pixels = height * width;
  const source = palette ? Uint8Array.from({ length: pixels * 3 }, (_, at) => palette[picture.data[Math.floor(at / 3)] ?? 0]?.[at % 3] ?? 0) : picture.data;
  const has = palette ? 3 : picture.channels;
  const shift = picture.depth === 16 ? 8 : 0;
  if (!palette && picture.depth < 8) throw new PerennialError('data/blocked', `row '${key}': a PNG of ${picture.depth} bits is not supported; save it with 8`, { key });
  const out = new Uint8Array(pixels * channels);
  const sample = (pixel: number, channel: number) => (source[pixel * has + channel] ?? 0) >> shift;
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    if (has < 3) out.fill(sample(pixel, 0), pixel * channels, (pixel + 1) * channels);
    else if (channels === 1) out[pixel] = Math.round(0.299 * sample(pixel, 0) + 0.587 * sample(pixel, 1) + 0.114 * sample(pixel, 2));
    else for (let channel = 0; channel < 3; channel += 1) out[pixel * 3 + channel] = sample(pixel, channel);
  }
  return resizePixels(out, { height, width, channels }, { height: wantedHeight, width: wantedWidth }, resize ?? 'bilinear');
}
