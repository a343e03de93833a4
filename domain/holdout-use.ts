import type { HoldoutUse } from '../contract/frozen.js';

const CONFIDENCE = 0.95;
/** A set is used up where a team that steers by it could have raised a figure by more than this share. */
const MOST_ADAPTIVE = 0.1;

/**
 * How much the best of `comparisons` candidates, measured on the same `rows`, may owe to the rows rather than to itself. For figures that are
 * means of values from 0 to 1 (accuracy).
 * - `byChance`: all candidates at once lie within it with 95% confidence, where none was chosen by looking at the others' figures: Hoeffding's
 *   inequality with Bonferroni's correction, sqrt(ln(2k / 0.05) / 2n).
 * - `adaptively`: sqrt(k / n), the order of what k figures of n rows give away at worst to somebody who makes each candidate of the figures before
 *   (A. Blum, M. Hardt, The Ladder: A Reliable Leaderboard for Machine Learning Competitions, ICML 2015, the boosting attack; C. Dwork et al.,
 *   The reusable holdout, Science 349, 2015).
 * Overused: `adaptively` is above 0.1, which is more than one comparison for every hundred rows.
 */
export function holdoutUse({ rows, comparisons }: { readonly rows: number; readonly comparisons: number }): HoldoutUse {
  if (rows === 0 || comparisons === 0) return { comparisons, rows, byChance: null, adaptively: null, overused: false };
  const adaptively = Math.min(1, Math.sqrt(comparisons / rows));
  return {
    comparisons, rows, adaptively,
    byChance: Math.min(1, Math.sqrt(Math.log((2 * comparisons) / (1 - CONFIDENCE)) / (2 * rows))),
    overused: comparisons > 1 && adaptively > MOST_ADAPTIVE,
  };
}
