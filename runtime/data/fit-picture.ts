import { resizePixels } from '../../domain/resize.js';
import type { PictureSize } from '../../domain/resize.js';
import type { PictureShape } from './picture.js';

/** Size and channels that a decoded picture has: 1 (grey), 2 (grey with transparency), 3 (RGB) or 4 (RGB with transparency). */
export interface PictureForm extends PictureSize { readonly channels: number }

/** A decoded picture as a model takes it: in its channels, then in its size. @param pixels bytes `[height, width, channels]` */
export function fitPicture(pixels: Uint8Array, found: PictureForm, shape: PictureShape): Uint8Array {
  return resizePixels(withChannels(pixels, found.channels, shape.channels), { ...found, channels: shape.channels }, shape, shape.resize ?? 'bilinear');
}

/** Grey is repeated for three channels, colour is weighted (ITU-R BT.601) for one, transparency is dropped. */
function withChannels(pixels: Uint8Array, has: number, channels: number): Uint8Array {
  if (has === channels) return pixels;
  const count = pixels.length / has;
  const out = new Uint8Array(count * channels);
  const value = (pixel: number, channel: number) => pixels[pixel * has + channel] ?? 0;
  for (let pixel = 0; pixel < count; pixel += 1) {
    if (has < 3) out.fill(value(pixel, 0), pixel * channels, (pixel + 1) * channels);
    else if (channels === 1) out[pixel] = Math.round(0.299 * value(pixel, 0) + 0.587 * value(pixel, 1) + 0.114 * value(pixel, 2));
    else for (let channel = 0; channel < 3; channel += 1) out[pixel * 3 + channel] = value(pixel, channel);
  }
  return out;
}
