/**
 * Exact quantiles by linear interpolation between order statistics: type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in
 * statistical packages", The American Statistician 50 (1996); what numpy and R give by default.
 * @param shares each 0..1
 * @returns one quantile per share, in the same order; all null without values
 * @throws RangeError for a share outside 0..1, or a value that is not a number
 */
export function quantiles(values: readonly number[], shares: readonly number[]): (number | null)[] {
  if (values.some((value) => Number.isNaN(value))) throw new RangeError('quantiles of values of which one is not a number');
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`a quantile's share is from 0 to 1, not ${share}`);
    const position = share * (sorted.length - 1);
    const low = sorted[Math.floor(position)];
    const high = sorted[Math.ceil(position)];
    if (low === undefined || high === undefined) return null;
    return low === high ? low : low + (high - low) * (position - Math.floor(position));
  });
}

/** One quantile; see {@link quantiles}. */
export function quantile(values: readonly number[], share: number): number | null {
  return quantiles(values, [share])[0] ?? null;
}
