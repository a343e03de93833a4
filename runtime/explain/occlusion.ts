import type { Slices } from './slices.js';

/**
 * By how much the output falls where one part of the input is as in the baseline: `f(x) - f(x without part)` for each part (M. D. Zeiler, R. Fergus, "Visualizing
 * and Understanding Convolutional Networks", ECCV 2014). These need not sum to `f(x) - f(b)`.
 * @param outputsWithout the outputs without each of `count` parts from `from` on
 */
export function* occlusion(parts: number, output: number, outputsWithout: (from: number, count: number) => ArrayLike<number>): Slices<Float64Array> {
  const falls = new Float64Array(parts);
  let points = yield 0;
  for (let from = 0; from < parts;) {
    const count = Math.min(points, parts - from);
    const outputs = outputsWithout(from, count);
    for (let part = 0; part < count; part += 1) falls[from + part] = output - (outputs[part] ?? NaN);
    from += count;
    points = yield count;
  }
  return falls;
}

/** Patches of a picture, row by row; those at the right and the bottom may be smaller. */
export interface Patches { readonly count: number; /** The pixels of a patch, by their places. */ readonly pixelsOf: (patch: number) => number[] }

export function patchesOf(height: number, width: number, side: number): Patches {
  const across = Math.ceil(width / side);
  return {
    count: across * Math.ceil(height / side),
    pixelsOf: (patch) => {
      const [top, left] = [Math.floor(patch / across) * side, (patch % across) * side];
      const pixels: number[] = [];
      for (let y = top; y < Math.min(height, top + side); y += 1) for (let x = left; x < Math.min(width, left + side); x += 1) pixels.push(y * width + x);
      return pixels;
    },
  };
}
