import { describe, expect, it } from 'vitest';
import { expectedCopies, predictivePower } from '../../domain/predictive-power.js';
import { predictivePowerOfNumbers } from '../../domain/predictive-power-of-numbers.js';
import type { ColumnValue } from '../../domain/predictive-power.js';
import { generator } from '../support/random.js';

const SHARE = 0.95;
const found = (values: ColumnValue[], classes: number[], kinds = 2) => (predictivePower(values, classes, kinds)?.lambda ?? 0) >= SHARE;

describe('how well a column tells the class', () => {
  it('is Goodman and Kruskal\'s lambda on every second row', () => {
    // Rows 0, 2, 4, … say: a is class 0, b is class 1. Of the rows kept aside one b is class 0.
    const rows = Array.from({ length: 160 }, (_, index) => ({ value: index % 4 < 2 ? 'a' : 'b', kind: index === 3 ? 0 : index % 4 < 2 ? 0 : 1 }));
    expect(predictivePower(rows.map(({ value }) => value), rows.map(({ kind }) => kind), 2)).toEqual({ lambda: 1 - 1 / 39, rows: 80, baselineErrors: 39, errors: 1 });
  });

  it('says nothing of too few rows, of one class alone, and of texts that never come again', () => {
    const classes = Array.from({ length: 30 }, (_, index) => (index >> 1) % 2);
    expect(predictivePower(classes.map(String), classes, 2)).toBeNull();
    expect(predictivePower(Array.from({ length: 400 }, (_, index) => index), new Array<number>(400).fill(1), 2)).toBeNull();
    const many = Array.from({ length: 400 }, (_, index) => (index >> 1) % 2);
    expect(predictivePower(many.map((_, index) => `row ${index}`), many, 2)?.lambda).toBeLessThanOrEqual(0);
  });

  it('finds no leak in columns that know nothing, or much: of 1,200 not one', () => {
    const next = generator(20_261_121);
    let alarms = 0;
    for (let round = 0; round < 200; round += 1) {
      const rows = [60, 200, 1_000][round % 3] ?? 0;
      const share = [0.5, 0.2, 0.05][Math.floor(round / 3) % 3] ?? 0;
      const classes = Array.from({ length: rows }, () => (next() < share ? 1 : 0));
      const columns: ((kind: number) => ColumnValue)[] = [
        () => next(), () => Math.floor(next() * 5), () => `text ${Math.floor(next() * 20)}`, () => (next() < 0.3 ? null : next()),
        // Good columns of an honest table: two means one and two standard deviations apart (about 0.69 and 0.84 right).
        (kind) => normal(next) + kind, (kind) => normal(next) + 2 * kind,
      ];
      for (const column of columns) if (found(classes.map(column), classes)) alarms += 1;
    }
    expect(alarms).toBe(0);
  });

  it('finds a copy, a function of the target, a number that rises with it, and one with an error in a hundred, each time', () => {
    const next = generator(7);
    for (let round = 0; round < 25; round += 1) {
      const classes = Array.from({ length: 2_000 }, () => Math.floor(next() * 3));
      const leaks: ((kind: number) => ColumnValue)[] = [
        (kind) => kind, (kind) => ['x', 'y', 'z'][kind] ?? '', (kind) => -(kind ** 3) + next() * 0.5, (kind) => (kind === 2 ? null : kind * 10 + next()),
        (kind) => (next() < 0.01 ? Math.floor(next() * 3) : kind),
      ];
      for (const leak of leaks) expect(found(classes.map(leak), classes, 3)).toBe(true);
    }
  });
});

describe('how well a column tells a number', () => {
  const tells = (values: ColumnValue[], targets: number[]) => (predictivePowerOfNumbers(values, targets)?.share ?? 0) >= SHARE;

  it('is the share of the absolute error of the median that it takes away, on every second row', () => {
    // Rows 0, 2, 4, … say: a is 0, b is 10; their median is 5. Of the 80 rows kept aside one b is 2.
    const rows = Array.from({ length: 160 }, (_, index) => ({ value: index % 4 < 2 ? 'a' : 'b', target: index === 3 ? 2 : index % 4 < 2 ? 0 : 10 }));
    expect(predictivePowerOfNumbers(rows.map(({ value }) => value), rows.map(({ target }) => target))).toEqual({ share: 1 - 8 / (79 * 5 + 3), rows: 80 });
  });

  it('says nothing of too few rows, of a target that does not vary, and of texts that never come again', () => {
    const targets = Array.from({ length: 38 }, (_, index) => index);
    expect(predictivePowerOfNumbers(targets, targets)).toBeNull();
    expect(predictivePowerOfNumbers(Array.from({ length: 400 }, (_, index) => index), new Array<number>(400).fill(1))).toBeNull();
    expect(predictivePowerOfNumbers(Array.from({ length: 400 }, (_, index) => `row ${index}`), Array.from({ length: 400 }, (_, index) => index % 7))?.share).toBeCloseTo(0, 12);
  });

  it('finds no leak in columns that know nothing, or much: of 1,200 not one', () => {
    const next = generator(20_261_122);
    let alarms = 0;
    for (let round = 0; round < 200; round += 1) {
      const targets = Array.from({ length: [60, 200, 1_000][round % 3] ?? 0 }, () => (round % 2 === 0 ? normal(next) : Math.exp(normal(next))));
      const columns: ((target: number) => ColumnValue)[] = [
        () => next(), () => Math.floor(next() * 5), () => `text ${Math.floor(next() * 20)}`, () => (next() < 0.3 ? null : next()),
        // Good columns of an honest table: correlations of 0.71 and 0.98 with it.
        (target) => target + normal(next), (target) => target + 0.2 * normal(next),
      ];
      for (const column of columns) if (tells(targets.map(column), targets)) alarms += 1;
    }
    expect(alarms).toBe(0);
  });

  it('finds a copy, a function of the target, one with a small error, and its bins, each time', () => {
    const next = generator(8);
    for (let round = 0; round < 25; round += 1) {
      const targets = Array.from({ length: 2_000 }, () => normal(next));
      const leaks: ((target: number) => ColumnValue)[] = [(target) => target, (target) => -(target ** 3), (target) => Math.exp(target) * 1.19, (target) => target + 0.02 * normal(next), (target) => Math.round(target * 20)];
      for (const leak of leaks) expect(tells(targets.map(leak), targets)).toBe(true);
    }
  });
});

describe('copies by chance', () => {
  it('are as many as columns that know nothing of each other have', () => {
    const next = generator(3);
    const columns = [Array.from({ length: 2_000 }, () => Math.floor(next() * 4)), Array.from({ length: 2_000 }, () => `v${Math.floor(next() * 10)}`)];
    // Two rows agree in 1/4 × 1/10 of the pairs.
    expect(expectedCopies(columns, 1_000, 10) / (1_000 * (1 - (1 - 1 / 40) ** 10))).toBeCloseTo(1, 1);
    expect(expectedCopies([...columns, Array.from({ length: 2_000 }, () => next())], 1_000, 500)).toBe(0);
  });
});

/** Box and Muller's normal deviate. */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}
