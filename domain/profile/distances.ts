import { chiSquareTail } from '../tails.js';
import { EXACT, RANK_ERROR, distributionOf, shareUpTo } from './quantile-sketch.js';
import type { QuantileState } from './quantile-sketch.js';

/** Largest distance of two distribution functions, 0..1 (Kolmogorov and Smirnov). Of sketches, right to {@link sketchError}. */
export function kolmogorovSmirnov(left: QuantileState, right: QuantileState): number {
  const [a, b] = [distributionOf(left), distributionOf(right)];
  let largest = 0;
  for (const value of [...a.values, ...b.values]) largest = Math.max(largest, Math.abs(shareUpTo(a, value) - shareUpTo(b, value)));
  return largest;
}

/** What sketches add to a distance at most, with 98% confidence; nothing where both hold all values. */
export function sketchError(left: QuantileState, right: QuantileState): number {
  return (left.n > EXACT ? RANK_ERROR : 0) + (right.n > EXACT ? RANK_ERROR : 0);
}

/** Root of the Jensen-Shannon divergence with the natural logarithm, 0 to 0.83, as scipy gives it (J. Lin, 1991). */
export function jensenShannon(left: readonly number[], right: readonly number[]): number {
  const [n, m] = [sum(left), sum(right)];
  if (n === 0 || m === 0) return 0;
  const part = (p: number, middle: number) => (p === 0 ? 0 : p * Math.log(p / middle));
  const divergence = left.reduce((total, count, index) => {
    const [p, q] = [count / n, (right[index] ?? 0) / m];
    return total + (part(p, (p + q) / 2) + part(q, (p + q) / 2)) / 2;
  }, 0);
  return Math.sqrt(Math.max(0, divergence));
}

/** Population stability index; a category that one side has not counts there as half a row. */
export function stabilityIndex(left: readonly number[], right: readonly number[]): number {
  const shares = (counts: readonly number[]) => { const filled = counts.map((count) => Math.max(count, 0.5)); const total = sum(filled); return filled.map((count) => count / total); };
  const [p, q] = [shares(left), shares(right)];
  return p.reduce((total, share, index) => total + ((q[index] ?? 0) - share) * Math.log((q[index] ?? 0) / share), 0);
}

/** Fewer expected rows than this make chi-square a poor approximation (W. Cochran, 1954): such categories count as one. */
const LEAST_EXPECTED = 5;

/**
 * Probability of counts at least as different as these, if both sides were drawn alike: Pearson's chi-square test of homogeneity. PSI has
 * the same distribution times 1/n + 1/m (B. Yurdakul and J. Naranjo, "Statistical properties of the population stability index", 2020), so
 * this is the critical value that PSI's bands lack.
 */
export function homogeneity(left: readonly number[], right: readonly number[]): number {
  const [n, m] = [sum(left), sum(right)];
  if (n === 0 || m === 0) return 1;
  const smaller = Math.min(n, m) / (n + m);
  const pairs: [number, number][] = [];
  let few: [number, number] = [0, 0];
  left.forEach((a, index) => {
    const b = right[index] ?? 0;
    if ((a + b) * smaller < LEAST_EXPECTED) few = [few[0] + a, few[1] + b];
    else pairs.push([a, b]);
  });
  if (few[0] + few[1] > 0) pairs.push(few);
  if (pairs.length < 2) return 1;
  const square = pairs.reduce((total, [a, b]) => {
    const [expectedA, expectedB] = [((a + b) * n) / (n + m), ((a + b) * m) / (n + m)];
    return total + (a - expectedA) ** 2 / expectedA + (b - expectedB) ** 2 / expectedB;
  }, 0);
  return chiSquareTail(square, pairs.length - 1);
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
