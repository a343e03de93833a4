/** What a picture's values are like, 0..255: mean and standard deviation of all, and each channel's mean. */
export interface PictureFigures { readonly brightness: number; readonly contrast: number; readonly channels: readonly number[] }

/** @param pixels uint8 `[height, width, channels]`, row-major */
export function figuresOf(pixels: Uint8Array, channels: number): PictureFigures {
  const sums = new Array<number>(channels).fill(0);
  let [sum, squares] = [0, 0];
  for (let index = 0; index < pixels.length; index += 1) {
    const value = pixels[index] as number;
    sum += value;
    squares += value * value;
    sums[index % channels] = (sums[index % channels] as number) + value;
  }
  const brightness = sum / pixels.length;
  // Sums of whole numbers below 2^53 are exact: nothing is lost by the difference.
  return { brightness, contrast: Math.sqrt(Math.max(0, squares / pixels.length - brightness * brightness)), channels: sums.map((ofChannel) => ofChannel / (pixels.length / channels)) };
}
