/** Height, width, channels of the demo's pictures (CIFAR-10). */
export const PICTURE_SHAPE = [32, 32, 3] as const;
const [HEIGHT, WIDTH, CHANNELS] = PICTURE_SHAPE;

/** What makes a picture one of the night. */
export const NIGHT = { brightness: 0.15, radius: 2, sigma: 1.5 } as const;
const KERNEL = gaussianKernel(NIGHT.radius, NIGHT.sigma);

/** Sampled Gaussian of 2·radius + 1 weights that sum to 1, as `scipy.ndimage.gaussian_filter` makes it. */
function gaussianKernel(radius: number, sigma: number): readonly number[] {
  const weights = Array.from({ length: 2 * radius + 1 }, (_, index) => Math.exp(-((index - radius) ** 2) / (2 * sigma * sigma)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * The same picture at night: brightness × 0.15, then a 5×5 Gaussian blur (σ 1.5, edges repeated), rounded once at the end.
 * @param pixels uint8, `[32, 32, 3]` row-major; not changed
 * @throws RangeError when the length is another
 */
export function darken(pixels: Uint8Array): Uint8Array {
  if (pixels.length !== HEIGHT * WIDTH * CHANNELS) throw new RangeError(`a picture is ${HEIGHT * WIDTH * CHANNELS} bytes ([${PICTURE_SHAPE.join(', ')}]); this one is ${pixels.length}`);
  const dark = Float64Array.from(pixels, (value) => value * NIGHT.brightness);
  const rows = blur(dark, WIDTH, CHANNELS);
  const columns = blur(rows, HEIGHT, WIDTH * CHANNELS);
  return Uint8Array.from(columns, (value) => Math.round(value));
}

/** One pass of the separable filter, along the axis of `length` entries that lie `stride` apart. */
function blur(values: Float64Array, length: number, stride: number): Float64Array {
  const blurred = new Float64Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const position = Math.floor(index / stride) % length;
    let sum = 0;
    for (let offset = -NIGHT.radius; offset <= NIGHT.radius; offset += 1) {
      const neighbour = Math.min(length - 1, Math.max(0, position + offset));
      sum += (KERNEL[offset + NIGHT.radius] ?? 0) * (values[index + (neighbour - position) * stride] ?? 0);
    }
    blurred[index] = sum;
  }
  return blurred;
}
