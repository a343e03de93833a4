import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { shardOf, splitOf } from '../../domain/stable-split.js';

const keys = Array.from({ length: 4_000 }, (_, index) => `picture-${index}.png`);
const shares = { train: 0.7, validation: 0.1, test: 0.2 };
const count = (splits: string[], name: string) => splits.filter((split) => split === name).length;

describe('the split of a row', () => {
  test('follows the published rule: 8 hex digits of sha256, test first', () => {
    for (const key of keys.slice(0, 200)) {
      const position = parseInt(createHash('sha256').update(key).digest('hex').slice(0, 8), 16) / 2 ** 32;
      expect(splitOf(key, shares)).toBe(position < 0.2 ? 'test' : position < 0.3 ? 'validation' : 'train');
    }
  });

  test('is about as large as its share', () => {
    const splits = keys.map((key) => splitOf(key, shares));
    for (const name of ['train', 'validation', 'test'] as const) expect(Math.abs(count(splits, name) / keys.length - shares[name])).toBeLessThan(0.02);
  });

  test('never moves: not by its place, not by other rows, and out of test or validation only into train when that grows', () => {
    const before = new Map(keys.slice(0, 1_000).map((key) => [key, splitOf(key, shares)]));
    for (const key of [...keys].reverse()) { const known = before.get(key); if (known) expect(splitOf(key, shares)).toBe(known); }
    for (const [key, known] of before) {
      const after = splitOf(key, { train: 0.8, validation: 0.1, test: 0.1 });
      if (known === 'train') expect(after).toBe('train');
    }
  });

  test('is another, independent one with a salt', () => {
    const both = keys.filter((key) => splitOf(key, shares) === 'test' && splitOf(key, shares, 'second') === 'test').length;
    expect(Math.abs(both / keys.length - 0.04)).toBeLessThan(0.015);
  });

  test('takes shares of nothing, and sums that rounding spoils', () => {
    expect(new Set(keys.map((key) => splitOf(key, { train: 0, validation: 0, test: 1 })))).toEqual(new Set(['test']));
    expect(new Set(keys.map((key) => splitOf(key, { train: 0, validation: 1, test: 0 })))).toEqual(new Set(['validation']));
    expect(new Set(keys.map((key) => splitOf(key, { train: 1, validation: 0, test: 0 })))).toEqual(new Set(['train']));
    expect(() => splitOf('a', { train: 0.7, validation: 0.1 + 0.1, test: 0.1 })).not.toThrow();
    for (const wrong of [{ train: 0.5, validation: 0, test: 0.4 }, { train: 1.2, validation: -0.2, test: 0 }, { train: NaN, validation: 0, test: 1 }]) expect(() => splitOf('a', wrong)).toThrow(RangeError);
  });
});

describe('the shard of a row', () => {
  test('is one of them, about as full as the others, whatever the split', () => {
    const train = keys.filter((key) => splitOf(key, shares) === 'train');
    const shards = new Array<number>(8).fill(0);
    for (const key of train) { const shard = shardOf(key, 8); shards[shard] = (shards[shard] ?? 0) + 1; }
    expect(shards.reduce((sum, rows) => sum + rows, 0)).toBe(train.length);
    const expected = train.length / 8;
    expect(shards.reduce((sum, rows) => sum + (rows - expected) ** 2 / expected, 0)).toBeLessThan(24.32); // 0.999 quantile of chi-square, 7 degrees of freedom
  });

  test('follows the published rule: hex digits 9 to 16 of sha256', () => {
    for (const key of keys.slice(0, 200)) expect(shardOf(key, 7)).toBe(parseInt(createHash('sha256').update(key).digest('hex').slice(8, 16), 16) % 7);
  });

  test('needs a whole number of shards', () => {
    expect(shardOf('a', 1)).toBe(0);
    for (const wrong of [0, -1, 1.5, NaN]) expect(() => shardOf('a', wrong)).toThrow(RangeError);
  });
});
