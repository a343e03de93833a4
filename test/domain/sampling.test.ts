import { expect, test } from 'vitest';
import { createSampler } from '../../domain/sampling.js';

test('gives the reference sequence of xoshiro128** 1.1 (state 1, 2, 3, 4; also the vectors of Rust\'s rand_xoshiro)', () => {
  const sampler = createSampler([1, 2, 3, 4]);
  expect(Array.from({ length: 10 }, () => sampler.uint32())).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
  expect(sampler.state()).toEqual([939045227, 1864939416, 1451579149, 2199351389]);
});

test('the same seed gives the same stream, another seed another one', () => {
  const draws = (seed: number) => { const sampler = createSampler(seed); return Array.from({ length: 20 }, () => sampler.uint32()); };
  expect(draws(5)).toEqual(draws(5));
  const streams = [0, 1, 2, -1, 2 ** 31, 2 ** 32, 2 ** 33, 2 ** 40 + 1].map((seed) => JSON.stringify(draws(seed)));
  expect(new Set(streams).size).toBe(streams.length);
});

test('a stored state goes on where it was', () => {
  const sampler = createSampler(9);
  sampler.uint32();
  const resumed = createSampler(JSON.parse(JSON.stringify(sampler.state())) as [number, number, number, number]);
  expect([resumed.uint32(), resumed.share(), resumed.below(7)]).toEqual([sampler.uint32(), sampler.share(), sampler.below(7)]);
});

test('numbers below a bound are all about as likely (chi-square below the 0.999 quantile, 27.88 for 9 degrees of freedom)', () => {
  const sampler = createSampler(3);
  const counts = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 50_000; draw += 1) { const value = sampler.below(10); counts[value] = (counts[value] ?? 0) + 1; }
  expect(counts.reduce((sum, count) => sum + (count - 5000) ** 2 / 5000, 0)).toBeLessThan(27.88);
});

test('chooses without repetition, and no more than there are', () => {
  const items = Array.from({ length: 50 }, (_, index) => index);
  const chosen = createSampler(4).choose(items, 20);
  expect(new Set(chosen).size).toBe(20);
  expect(chosen.every((item) => items.includes(item))).toBe(true);
  expect(createSampler(4).choose(items, 500).sort((a, b) => a - b)).toEqual(items);
  expect(createSampler(4).choose([], 3)).toEqual([]);
});

test('refuses what is no seed, no state and no bound', () => {
  expect(() => createSampler(0.5)).toThrow(RangeError);
  expect(() => createSampler([0, 0, 0, 0])).toThrow(RangeError);
  expect(() => createSampler([1, 2, 3, -4])).toThrow(RangeError);
  expect(() => createSampler(1).below(0)).toThrow(RangeError);
});
