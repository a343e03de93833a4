import type { ResizeMethod } from '../definition/resize.js';

/** Larger pictures are refused, not resized: unpacked, they would take hundreds of megabytes. */
export const MOST_PIXELS = 32_000_000;

export interface PictureSize { readonly height: number; readonly width: number }

/** What each pixel of a line is made of: pixels from `from` on, with weights that sum to 1. */
interface Mix { readonly from: number; readonly weights: readonly number[] }

/**
 * A picture in another size. `bilinear`: each pixel is the weighted mean of those beneath it, near ones counting more (a triangle as wide as a
 * pixel of the result, so that nothing is skipped when it shrinks: P. Heckbert, "Fundamentals of texture mapping and image warping", 1989; what Pillow
 * calls BILINEAR). `nearest`: the pixel beneath its middle. Doubles, rounded once: the same bytes on every machine.
 * @param pixels uint8 `[height, width, channels]`, row-major
 */
export function resizePixels(pixels: Uint8Array, { height, width, channels }: PictureSize & { readonly channels: number }, to: PictureSize, method: ResizeMethod): Uint8Array {
  if (height === to.height && width === to.width) return pixels;
  const across = mixes(width, to.width, method);
  const narrow = new Float64Array(height * to.width * channels);
  for (let row = 0; row < height; row += 1) {
    for (const [column, { from, weights }] of across.entries()) {
      for (let channel = 0; channel < channels; channel += 1) {
        let sum = 0;
        for (let at = 0; at < weights.length; at += 1) sum += (weights[at] ?? 0) * (pixels[(row * width + from + at) * channels + channel] ?? 0);
        narrow[(row * to.width + column) * channels + channel] = sum;
      }
    }
  }
  const line = to.width * channels;
  const resized = new Uint8Array(to.height * line);
  for (const [row, { from, weights }] of mixes(height, to.height, method).entries()) {
    for (let at = 0; at < line; at += 1) {
      let sum = 0;
      for (let step = 0; step < weights.length; step += 1) sum += (weights[step] ?? 0) * (narrow[(from + step) * line + at] ?? 0);
      resized[row * line + at] = Math.min(255, Math.floor(sum + 0.5));
    }
  }
  return resized;
}

function mixes(length: number, wanted: number, method: ResizeMethod): Mix[] {
  const scale = length / wanted;
  const reach = Math.max(1, scale);
  return Array.from({ length: wanted }, (_, place): Mix => {
    const middle = (place + 0.5) * scale;
    if (method === 'nearest') return { from: Math.min(length - 1, Math.floor(middle)), weights: [1] };
    const from = Math.max(0, Math.floor(middle - reach + 0.5));
    const until = Math.min(length, Math.floor(middle + reach + 0.5));
    const weights = Array.from({ length: until - from }, (__, at) => Math.max(0, 1 - Math.abs(from + at + 0.5 - middle) / reach));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { from, weights: weights.map((weight) => weight / sum) };
  });
}
