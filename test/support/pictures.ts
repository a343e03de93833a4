/** A picture without an edge, as photographs of things are: a few waves in each of three colours. `size` × `size` pixels, RGB. */
export function softPicture(next: () => number, size: number): Uint8Array<ArrayBuffer> {
  const waves = Array.from({ length: 6 }, () => ({ x: (next() - 0.5) * 8, y: (next() - 0.5) * 8, phase: next() * 7, weights: [next(), next(), next()] }));
  return Uint8Array.from({ length: size * size * 3 }, (_, at) => {
    const [row, column, channel] = [Math.floor(at / 3 / size), Math.floor(at / 3) % size, at % 3];
    const sum = waves.reduce((total, { x, y, phase, weights }) => total + (weights[channel] ?? 0) * Math.sin((x * column + y * row) / size * 2 + phase), 0);
    return Math.max(0, Math.min(255, 128 + sum * 30));
  });
}
