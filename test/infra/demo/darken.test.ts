import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { darken } from '../../../infra/demo/darken.js';

/** The picture of the golden file's formula. */
function patterned(): Uint8Array {
  const pixels = new Uint8Array(32 * 32 * 3);
  for (let y = 0; y < 32; y += 1) for (let x = 0; x < 32; x += 1) for (let c = 0; c < 3; c += 1) {
    pixels[(y * 32 + x) * 3 + c] = (7 * y * y + 31 * x + 83 * c + 5 * ((13 * x * y) % 97)) % 256;
  }
  return pixels;
}

describe('darken', () => {
  it('gives what scipy gives, byte for byte', async () => {
    const golden = JSON.parse(await readFile(new URL('darken.golden.json', import.meta.url), 'utf8')) as { pixels: string };
    expect(Buffer.from(darken(patterned())).equals(Buffer.from(golden.pixels, 'base64'))).toBe(true);
  });

  it('takes an even picture to 0.15 of its brightness, edges included', () => {
    expect(new Set(darken(new Uint8Array(3072).fill(200)))).toEqual(new Set([30]));
  });

  it('leaves the clear picture as it was, and refuses another size', () => {
    const clear = patterned();
    darken(clear);
    expect(clear).toEqual(patterned());
    expect(() => darken(new Uint8Array(100))).toThrow(/3072 bytes.*100/);
  });
});
