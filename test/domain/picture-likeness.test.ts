import { describe, expect, it } from 'vitest';
import { correlation } from '../../domain/correlation.js';
import { differenceHash, greyCells, hammingDistance, LikenessIndex } from '../../domain/picture-likeness.js';
import { softPicture } from '../support/pictures.js';
import { generator } from '../support/random.js';

const SIZE = 32;
const SHAPE = { height: SIZE, width: SIZE, channels: 3 };
const random64 = (next: () => number) => (BigInt(Math.floor(next() * 2 ** 32)) << 32n) | BigInt(Math.floor(next() * 2 ** 32));

describe('the hash of a picture\'s looks', () => {
  it('has a bit for each cell that is darker than the one to its right', () => {
    const rising = Uint8Array.from({ length: 9 * 8 }, (_, at) => (at % 9) * 20);
    expect(differenceHash(rising, { height: 8, width: 9, channels: 1 })).toBe(2n ** 64n - 1n);
    expect(differenceHash(rising.toReversed(), { height: 8, width: 9, channels: 1 })).toBe(0n);
    expect(differenceHash(Uint8Array.of(1, 2), { height: 1, width: 2, channels: 1 })).toBe(BigInt(`0b${'00001000'.repeat(8)}`));
  });

  it('changes little with light, contrast and noise, and much with another picture', () => {
    const next = generator(11);
    const pictures = Array.from({ length: 60 }, () => softPicture(next, SIZE));
    const hashes = pictures.map((picture) => differenceHash(picture, SHAPE));
    const changed = pictures.map((picture) => differenceHash(picture.map((value) => Math.max(0, Math.min(255, value * 0.7 + 20 + (next() - 0.5) * 6))), SHAPE));
    const own = hashes.map((hash, index) => hammingDistance(hash, changed[index] ?? 0n));
    expect(own.filter((bits) => bits <= 3).length).toBeGreaterThanOrEqual(57);
    const others = hashes.flatMap((hash, index) => hashes.slice(index + 1).map((other) => hammingDistance(hash, other)));
    expect(others.filter((bits) => bits <= 3)).toEqual([]);
  });
});

describe('looking for hashes within a distance', () => {
  it.each([0, 1, 3, 7])('finds what comparing all pairs finds, at distance %d', (distance) => {
    const next = generator(distance + 1);
    const index = new LikenessIndex(distance);
    const known = Array.from({ length: 500 }, () => random64(next));
    for (const hash of known) index.add(hash);
    for (const hash of known.slice(0, 100)) {
      let asked = hash;
      for (let bit = 0; bit < Math.floor(next() * 10); bit += 1) asked ^= 1n << BigInt(Math.floor(next() * 64));
      const all = known.filter((other) => hammingDistance(asked, other) <= distance);
      expect(new Set(index.near(asked).map((one) => one.hash))).toEqual(new Set(all));
    }
  });
});

it('grey values correlate whatever the light, and not where nothing varies', () => {
  const picture = greyCells(softPicture(generator(1), SIZE), SHAPE, 16, 16);
  expect(correlation(picture, picture.map((value) => value * 0.25 + 3))).toBeCloseTo(1, 9);
  expect(correlation(picture, new Float64Array(256).fill(7))).toBeNull();
});
