import type { ColumnState, ColumnSummary } from '../../contract/data-profile.js';
import { isKnown, mergeMoments, NO_MOMENTS } from './moments.js';
import type { Moments } from './moments.js';

type Association = NonNullable<ColumnSummary['association']>;

/** How strongly a column and a target of classes go together; null where nothing can be said. */
export function associationOf({ numbers, values }: ColumnState): Association | null {
  const value = numbers ? correlationRatio(numbers.byClass) : values?.byClass && cramersV(values.byClass);
  return value === null || value === undefined ? null : { measure: numbers ? 'correlation ratio' : 'Cramér\'s V', value };
}

/** η: the root of the share of a number's variance that lies between the classes (K. Pearson, 1905). Null of one class, where nothing varies, or where squares are no doubles. */
export function correlationRatio(byClass: readonly Moments[]): number | null {
  const all = byClass.reduce(mergeMoments, NO_MOMENTS);
  if (!isKnown(all.mean) || !isKnown(all.m2)) return null;
  if (byClass.filter(({ n }) => n > 0).length < 2 || all.m2 <= all.n * (1e-13 * all.mean) ** 2) return null;
  const within = byClass.reduce((sum, { m2 }) => sum + m2, 0);
  return Math.sqrt(Math.max(0, 1 - within / all.m2));
}

/** H. Cramér, "Mathematical Methods of Statistics" (1946): of a table with a row for each value and a column for each class. Null of one row or column. */
export function cramersV(counts: readonly (readonly number[])[]): number | null {
  const rowSums = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
  const columnSums = (counts[0] ?? []).map((_, column) => counts.reduce((sum, row) => sum + (row[column] ?? 0), 0));
  const total = rowSums.reduce((sum, n) => sum + n, 0);
  const smaller = Math.min(rowSums.filter((n) => n > 0).length, columnSums.filter((n) => n > 0).length) - 1;
  if (smaller < 1) return null;
  let square = 0;
  counts.forEach((row, i) => row.forEach((n, j) => {
    const expected = ((rowSums[i] ?? 0) * (columnSums[j] ?? 0)) / total;
    if (expected > 0) square += (n - expected) ** 2 / expected;
  }));
  return Math.min(1, Math.sqrt(square / total / smaller));
}
