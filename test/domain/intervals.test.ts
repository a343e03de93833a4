import { describe, expect, test } from 'vitest';
import { pairedDifference, wilsonInterval } from '../../domain/intervals.js';
import { createSampler } from '../../domain/sampling.js';

describe('Wilson\'s interval', () => {
  /** First three: R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I, method 3. */
  test.each([[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]])('of %i in %i is the published one', (successes, n, low, high) => {
    const interval = wilsonInterval(successes, n);
    expect(interval?.map((bound) => Number(bound.toFixed(4)))).toEqual([low, high]);
  });

  /** statsmodels 0.15.0, `proportion_confint(k, n, method='wilson')`. */
  test.each([[912, 1000, 0.8928277489502235, 0.9280190020576792], [29, 29, 0.8830302015002592, 1], [15, 148, 0.06238639953073628, 0.16048724172330803]])('of %i in %i is statsmodels\'', (successes, n, low, high) => {
    const interval = wilsonInterval(successes, n) ?? [NaN, NaN];
    expect(interval[0]).toBeCloseTo(low, 12);
    expect(interval[1]).toBeCloseTo(high, 12);
  });

  test('reaches the end itself where all or none are right', () => {
    for (let n = 1; n < 500; n += 1) expect([wilsonInterval(0, n)?.[0], wilsonInterval(n, n)?.[1]]).toEqual([0, 1]);
  });

  test('needs rows, and no more successes than rows', () => {
    expect(wilsonInterval(0, 0)).toBeNull();
    expect(() => wilsonInterval(3, 2)).toThrow(RangeError);
    expect(() => wilsonInterval(NaN, 2)).toThrow(RangeError);
  });

  test('covers the true share in about 95 of 100 samples', () => {
    expect(coverage(4000, 11, (sampler) => {
      const n = 150;
      let successes = 0;
      for (let row = 0; row < n; row += 1) if (sampler.share() < 0.92) successes += 1;
      return { interval: wilsonInterval(successes, n), truth: 0.92 };
    })).toBeGreaterThan(0.94);
  });
});

describe('difference of two accuracies on the same rows', () => {
  test.each([
    // Cavo et al. (2012), as in Fagerland, Lydersen and Laake, "Statistical Analysis of Contingency Tables" (2017), chapter 8, and their R package contingencytables.
    [{ both: 59, onlyCandidate: 6, onlyLive: 16, neither: 80 }, -0.0621, -0.1195, -0.0032],
    // The example of `ci.prop.ps(.05, 12, 26, 4, 6)` in D. G. Bonett's R package statpsych.
    [{ both: 12, onlyCandidate: 26, onlyLive: 4, neither: 6 }, 0.4583, 0.2548, 0.6252],
  ])('of %j has the published interval', (counts, difference, low, high) => {
    const result = pairedDifference(counts);
    expect([result?.difference, ...(result?.interval ?? [])].map((value) => Number(value?.toFixed(4)))).toEqual([difference, low, high]);
  });

  test('turns round when the two change places', () => {
    const [forward, back] = [pairedDifference({ both: 50, onlyCandidate: 9, onlyLive: 3, neither: 8 }), pairedDifference({ both: 50, onlyCandidate: 3, onlyLive: 9, neither: 8 })];
    expect(back?.difference).toBe(-(forward?.difference ?? NaN));
    expect(back?.interval[0]).toBeCloseTo(-(forward?.interval[1] ?? NaN), 14);
  });

  test('is unsure even where no row differs, and more so with few rows', () => {
    const width = (both: number) => { const { interval } = pairedDifference({ both, onlyCandidate: 0, onlyLive: 0, neither: 0 }) ?? { interval: [0, 0] as const }; return interval[1] - interval[0]; };
    expect(width(20)).toBeGreaterThan(width(200));
    expect(width(200)).toBeGreaterThan(0);
    expect(pairedDifference({ both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 })).toBeNull();
  });

  test('covers the true difference in about 95 of 100 samples', () => {
    const [gain, loss] = [0.05, 0.09];
    const covered = coverage(4000, 7, (sampler) => {
      const counts = { both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 };
      for (let row = 0; row < 200; row += 1) {
        const drawn = sampler.share();
        counts[drawn < gain ? 'onlyCandidate' : drawn < gain + loss ? 'onlyLive' : drawn < 0.9 ? 'both' : 'neither'] += 1;
      }
      return { interval: pairedDifference(counts)?.interval ?? null, truth: gain - loss };
    });
    expect(covered).toBeGreaterThan(0.94);
    expect(covered).toBeLessThan(0.97);
  });
});

function coverage(samples: number, seed: number, draw: (sampler: ReturnType<typeof createSampler>) => { interval: readonly [number, number] | null; truth: number }): number {
  const sampler = createSampler(seed);
  let covered = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const { interval, truth } = draw(sampler);
    if (interval && interval[0] <= truth && truth <= interval[1]) covered += 1;
  }
  return covered / samples;
}
