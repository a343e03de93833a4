import { describe, expect, it } from 'vitest';
import type { EnvironmentLock } from '../../contract/package.js';
import { judgeReproduction, type ReproductionFacts } from '../../domain/reproduction.js';
import { compareWeights, type Weights } from '../../domain/weights.js';

const weights = (values: readonly number[], shapes: readonly (readonly number[])[] = [[values.length]]): Weights => ({ specs: shapes.map((shape, index) => ({ name: `dense_${index}/kernel`, shape, dtype: 'float32' })), bytes: new Uint8Array(Float32Array.from(values).buffer) });

describe('weights of two trainings', () => {
  it('are equal bit for bit, or their differences are counted and the largest named', () => {
    expect(compareWeights(weights([1, 2, 3, 4]), weights([1, 2, 3, 4]))).toEqual({ identical: true, values: 4, differing: 0, largest: 0, tensors: [] });
    expect(compareWeights(weights([1, 2, 3, 4], [[2], [2]]), weights([1, 2, 3.5, 4.25], [[2], [2]]))).toEqual({ identical: false, values: 4, differing: 2, largest: 0.5, tensors: [{ name: 'dense_1/kernel', differing: 2, largest: 0.5 }] });
  });

  it('of networks that are built differently cannot be compared', () => {
    expect(compareWeights(weights([1, 2, 3, 4], [[4]]), weights([1, 2, 3, 4], [[2, 2]]))).toMatchObject({ identical: false, largest: null });
    expect(compareWeights(weights([1]), weights([Infinity]))).toMatchObject({ identical: false, differing: 1, largest: null });
  });
});

const lock: EnvironmentLock = { node: 'v20.20.0', platform: 'linux-x64', tensorflow: '2.20.0', tfjs: '4.22.0', lockfile: null, timeZone: 'UTC', locale: 'en-US', threads: 1 };
const facts = (changes: Partial<ReproductionFacts> = {}): ReproductionFacts => ({
  environment: { then: lock, now: lock }, trainingDigest: { then: 'a', now: 'a' }, weights: compareWeights(weights([1, 2]), weights([1, 2])),
  metrics: { then: new Map([['accuracy', 0.9]]), now: new Map([['accuracy', 0.9]]) }, tolerance: null, ...changes,
});
const off = (by: number) => compareWeights(weights([1, 2]), weights([1, 2 + by]));
const manyThreads = { then: { ...lock, threads: null }, now: { ...lock, threads: null } };

describe('the verdict on a reproduction', () => {
  it('is identical where weights and figures are', () => {
    expect(judgeReproduction(facts())).toMatchObject({ verdict: 'identical', environment: [], tolerance: null });
  });

  it('allows nothing where one thread trained it, unless the asker does', () => {
    expect(judgeReproduction(facts({ weights: off(1e-5) })).verdict).toBe('different');
    expect(judgeReproduction(facts({ weights: off(1e-5), tolerance: 1e-4 })).verdict).toBe('within-tolerance');
  });

  it('allows the stated tolerance where several threads did, of weights and of figures', () => {
    expect(judgeReproduction(facts({ environment: manyThreads, weights: off(1e-5) }))).toMatchObject({ verdict: 'within-tolerance', tolerance: { weights: 1e-3, metrics: 1e-2 } });
    expect(judgeReproduction(facts({ environment: manyThreads, weights: off(0.01) })).verdict).toBe('different');
    expect(judgeReproduction(facts({ environment: manyThreads, weights: off(1e-5), metrics: { then: new Map([['accuracy', 0.9]]), now: new Map([['accuracy', 0.8]]) } })).verdict).toBe('different');
  });

  it('names what differs in the environment first', () => {
    const { because } = judgeReproduction(facts({ environment: { then: { ...lock, node: 'v18.1.0', threads: 2 }, now: lock }, weights: off(0.5), trainingDigest: { then: 'a', now: 'b' } }));
    expect(because).toEqual(['Node was v18.1.0, is v20.20.0', 'threads was 2, is 1', 'training digest of the stored definition was a, is b', expect.stringContaining('1 of 2 weights differ, by at most 0.500')]);
  });

  it('compares figures that are in the target\'s unit in mean absolute errors: prices in millions are no stricter than shares', () => {
    const figures = (mae: number, r2: number) => new Map([['mae', mae], ['later/rmse', mae * 2], ['later/mae', mae], ['r2', r2]]);
    const judge = (mae: number, r2: number) => judgeReproduction(facts({ environment: manyThreads, metrics: { then: figures(40_000, 0.7), now: figures(mae, r2) } })).verdict;
    expect(judge(40_150, 0.705)).toBe('within-tolerance');
    expect(judge(40_500, 0.7)).toBe('different');
    expect(judge(40_000, 0.72)).toBe('different');
  });
});
