import { describe, expect, it } from 'vitest';
import { holdoutUse } from '../../domain/holdout-use.js';
import { generator } from '../support/random.js';

describe('a set that candidates are compared on', () => {
  it('is used up by more than one comparison for every hundred rows', () => {
    expect(holdoutUse({ rows: 1200, comparisons: 12 })).toMatchObject({ adaptively: 0.1, overused: false });
    expect(holdoutUse({ rows: 1200, comparisons: 13 }).overused).toBe(true);
    expect(holdoutUse({ rows: 50, comparisons: 1 }).overused).toBe(false);
    expect(holdoutUse({ rows: 0, comparisons: 3 })).toMatchObject({ byChance: null, adaptively: null, overused: false });
  });

  it('lets the best of many equal candidates look no better by chance than is said, 19 times of 20', () => {
    const random = generator(11);
    const [rows, comparisons, sets] = [200, 20, 300];
    const bound = holdoutUse({ rows, comparisons }).byChance ?? 0;
    let beyond = 0;
    for (let set = 0; set < sets; set += 1) {
      const best = Math.max(...Array.from({ length: comparisons }, () => Array.from({ length: rows }, () => (random() < 0.7 ? 1 : 0)).reduce<number>((sum, right) => sum + right, 0) / rows));
      if (best - 0.7 > bound) beyond += 1;
    }
    expect(beyond / sets).toBeLessThanOrEqual(0.05);
    expect(bound).toBeCloseTo(Math.sqrt(Math.log(800) / 400), 12);
  });
});
