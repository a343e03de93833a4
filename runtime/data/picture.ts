import { decode } from 'fast-png';
import { PerennialError } from '../../contract/errors.js';

export interface PictureShape { readonly height: number; readonly width: number; readonly channels: number }

/**
 * Decodes a PNG to bytes `[height, width, channels]`. Grey is repeated for three channels and colour is weighted (ITU-R
 * BT.601) for one; transparency is dropped. Another size, or no PNG, is `data/blocked` and names the row.
 */
export function decodePicture(png: Uint8Array, { height, width, channels }: PictureShape, key: string): Uint8Array {
  let picture: ReturnType<typeof decode>;
  try {
    picture = decode(png);
  } catch (cause) {
    throw new PerennialError('data/blocked', `row '${key}': the picture is no readable PNG (${cause instanceof Error ? cause.message : String(cause)})`, { key }, { cause });
  }
  if (picture.height !== height || picture.width !== width) throw new PerennialError('data/blocked', `row '${key}': the picture is ${picture.width} × ${picture.height}, the definition says ${width} × ${height}`, { key });
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
  return out;
}
