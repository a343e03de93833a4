import type { Expectation, ExpectationInput } from './expectations.js';

type Of<K extends Expectation['kind']> = Extract<ExpectationInput, { kind: K }>;
type Options<K extends Expectation['kind'], Said extends string> = Omit<Of<K>, 'kind' | Said>;
type Bounds = { min: number; max?: number } | { min?: number; max: number };

/** Writes the entries of `data.expectations`: `expect.between('age', { min: 0, max: 120 })`. Pure; values are checked at intake. */
export const expect = {
  notNull: (column: string, options: Options<'not-null', 'column'> = {}): Of<'not-null'> => ({ kind: 'not-null', column, ...options }),
  type: (column: string, type: Of<'type'>['type'], options: Options<'type', 'column' | 'type'> = {}): Of<'type'> => ({ kind: 'type', column, type, ...options }),
  /** No two rows have the same values in all of these columns. */
  unique: (columns: string | string[], options: Options<'unique', 'columns'> = {}): Of<'unique'> => ({ kind: 'unique', columns: typeof columns === 'string' ? [columns] : columns, ...options }),
  between: (column: string, options: Options<'between', 'column'>): Of<'between'> => ({ kind: 'between', column, ...options }),
  inSet: (column: string, values: Of<'in-set'>['values'], options: Options<'in-set', 'column' | 'values'> = {}): Of<'in-set'> => ({ kind: 'in-set', column, values, ...options }),
  notInSet: (column: string, values: Of<'not-in-set'>['values'], options: Options<'not-in-set', 'column' | 'values'> = {}): Of<'not-in-set'> => ({ kind: 'not-in-set', column, values, ...options }),
  /** The pattern may match anywhere: `^` and `$` anchor it. */
  matches: (column: string, pattern: string | RegExp, options: Options<'matches', 'column' | 'pattern'> = {}): Of<'matches'> => ({ kind: 'matches', column, pattern: sourceOf(pattern), ...options }),
  notMatches: (column: string, pattern: string | RegExp, options: Options<'not-matches', 'column' | 'pattern'> = {}): Of<'not-matches'> => ({ kind: 'not-matches', column, pattern: sourceOf(pattern), ...options }),
  /** Of a text, in characters. */
  length: (column: string, options: Options<'length', 'column'>): Of<'length'> => ({ kind: 'length', column, ...options }),
  compare: (column: string, operator: Of<'compare'>['operator'], other: string, options: Options<'compare', 'column' | 'operator' | 'other'> = {}): Of<'compare'> => ({ kind: 'compare', column, operator, other, ...options }),
  /** In every row, the sum of these columns against a column or a number: `expect.sumOf(['net', 'tax'], 'gross')`. */
  sumOf: (columns: string[], to: string | number, options: Options<'sum-of', 'columns' | 'to'> = {}): Of<'sum-of'> => ({ kind: 'sum-of', columns, to, ...options }),
  /** Every value is one of the column `other` in Parquet files of a location. */
  existsIn: (column: string, where: { location: string; path: string; other: string }, options: Options<'exists-in', 'column' | 'location' | 'path' | 'other'> = {}): Of<'exists-in'> => ({ kind: 'exists-in', column, ...where, ...options }),
  rowCount: (bounds: Bounds, options: Pick<Of<'row-count'>, 'severity'> = {}): Of<'row-count'> => ({ kind: 'row-count', ...bounds, ...options }),
  mean: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'mean', bounds, options),
  standardDeviation: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'standard-deviation', bounds, options),
  median: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'median', bounds, options),
  minimum: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'minimum', bounds, options),
  maximum: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'maximum', bounds, options),
  sum: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'sum', bounds, options),
  distinct: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'distinct', bounds, options),
  distinctShare: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'distinct-share', bounds, options),
  missingShare: (column: string, bounds: Bounds, options: Severity = {}) => statistic(column, 'missing-share', bounds, options),
  /** `at` is 0..1: 0.5 is the median. */
  quantile: (column: string, at: number, bounds: Bounds, options: Severity = {}): Of<'quantile'> => ({ kind: 'quantile', column, at, ...bounds, ...options }),
  /** The values are distributed as those of a reference, to a distance of `within`: `expect.distribution('age', { location: 'lists', path: 'last-year.parquet', other: 'age' }, 0.1)`. */
  distribution: (column: string, reference: Of<'distribution'>['reference'], within: number, options: Severity = {}): Of<'distribution'> => ({ kind: 'distribution', column, reference, within, ...options }),
  /** The newest time of the column is at most this old when the snapshot is made. */
  fresh: (column: string, within: string, options: Severity = {}): Of<'fresh'> => ({ kind: 'fresh', column, within, ...options }),
} as const;

type Severity = Pick<Of<'statistic'>, 'severity'>;

function statistic(column: string, name: Of<'statistic'>['statistic'], bounds: Bounds, options: Severity): Of<'statistic'> {
  return { kind: 'statistic', column, statistic: name, ...bounds, ...options };
}

function sourceOf(pattern: string | RegExp): string {
  if (typeof pattern === 'string') return pattern;
  if (pattern.flags !== '') throw new TypeError(`a pattern takes no flags, found ${String(pattern)}`);
  return pattern.source;
}
