/** Mean and standard deviation of a picture's bytes: its brightness and its contrast, 0..255. */
export function pictureFigures(picture: Uint8Array): [brightness: number, contrast: number] {
  let [sum, squares] = [0, 0];
  for (const value of picture) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / picture.length;
  return [mean, Math.sqrt(Math.max(0, squares / picture.length - mean * mean))];
}

/** What a picture's figures are called. */
export const PICTURE_FIGURES = ['brightness', 'contrast'] as const;
