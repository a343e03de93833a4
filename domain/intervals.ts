import type { PairedCounts } from '../contract/evaluation.js';

/** Lower and upper bound. */
export type Interval = readonly [number, number];

/** 0.975 quantile of the standard normal distribution: two-sided 95% intervals. */
export const Z95 = 1.959963984540054;

/**
 * Wilson's score interval for a share, null without rows. Source: E. B. Wilson, "Probable inference, the law of succession, and
 * statistical inference", JASA 22 (1927); recommended over Wald's by Brown, Cai and DasGupta, Statistical Science 16 (2001).
 * @param z quantile of the standard normal distribution, {@link Z95} for 95%
 */
export function wilsonInterval(successes: number, n: number, z = Z95): [number, number] | null {
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`${successes} of ${n} is not a share`);
  if (n === 0) return null;
  const share = successes / n;
  const shrink = 1 + (z * z) / n;
  const center = (share + (z * z) / (2 * n)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  // At the ends the bound is the end itself; rounding must not leave it out.
  return [successes === 0 ? 0 : center - half, successes === n ? 1 : center + half];
}

/** Accuracy of the candidate minus accuracy of the live version on the same `n` rows, with the interval of that difference. */
export interface PairedDifference { readonly n: number; readonly difference: number; readonly interval: [number, number] }

/**
 * Difference of two accuracies measured on the same rows, null without rows. Only the rows that the two judge differently tell them apart.
 * Interval: Wald with a Laplace adjustment, one row added to each of the two differing cells. Source: D. G. Bonett and R. M. Price,
 * "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data", Journal of Educational and
 * Behavioral Statistics 37 (2012); among those recommended by Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014).
 */
export function pairedDifference({ both, onlyCandidate, onlyLive, neither }: Omit<PairedCounts, 'slice'>, z = Z95): PairedDifference | null {
  const n = both + onlyCandidate + onlyLive + neither;
  if (n === 0) return null;
  const gained = (onlyCandidate + 1) / (n + 2);
  const lost = (onlyLive + 1) / (n + 2);
  const half = z * Math.sqrt((gained + lost - (gained - lost) ** 2) / (n + 2));
  return {
    n, difference: (onlyCandidate - onlyLive) / n,
    interval: [Math.max(-1, gained - lost - half), Math.min(1, gained - lost + half)],
  };
}

/**
 * 95% interval of a median from order statistics, without assuming how the values are spread; null for fewer than 6 values, which have none.
 * Ranks by the normal approximation of the binomial distribution: W. J. Conover, "Practical Nonparametric Statistics" (1999), 3.2.
 */
export function medianInterval(values: readonly number[], z = Z95): [number, number] | null {
  const n = values.length;
  if (n < 6) return null;
  const sorted = Float64Array.from(values).sort();
  const below = Math.floor((n - z * Math.sqrt(n)) / 2);
  const [low, high] = [sorted[Math.max(0, below - 1)], sorted[Math.min(n - 1, n - below)]];
  return low === undefined || high === undefined ? null : [low, high];
}
