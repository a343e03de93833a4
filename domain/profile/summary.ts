import type { ColumnState, ColumnSummary, DataProfile, ProfileSummary } from '../../contract/data-profile.js';
import { associationOf } from './associations.js';
import { pairsFrom } from './data-sketch.js';
import { DistinctSketch } from './distinct-sketch.js';
import { decodeBytes, decodeDoubles } from './doubles.js';
import { correlation, isKnown, sampleDeviation } from './moments.js';
import { distributionOf, EXACT, quantilesOf, RANK_ERROR, shareUpTo } from './quantile-sketch.js';
import type { QuantileState } from './quantile-sketch.js';

const SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
const BINS = 20;
const TOP = 20;

/** The quantile sketch of a column of numbers. */
export function quantileState({ quantiles: { n, levels } }: NonNullable<ColumnState['numbers']>): QuantileState {
  return { n, levels: levels.map(decodeDoubles) };
}

/** A profile as people read it; everything in it follows from the profile. */
export function summarize(profile: DataProfile): ProfileSummary {
  const { kind, rows, target, image, examples } = profile;
  const correlations = correlationsOf(profile);
  return {
    v: 1, kind, rows, image, examples, correlations,
    target: { name: target.name, classes: target.classes && target.classes.map((one) => ({ ...one, share: rows === 0 ? 0 : one.rows / rows })) },
    columns: profile.columns.map((column) => summarizeColumn(column, target.classes ? associationOf(column) : pearsonOf(column.name, target.name, correlations))),
  };
}

function correlationsOf({ pairs }: DataProfile): ProfileSummary['correlations'] {
  const { columns } = pairs;
  const values = columns.map((_, row) => columns.map((__, column): number | null => (row === column ? 1 : null)));
  let pair = 0;
  const moments = pairsFrom(pairs.moments);
  for (let x = 0; x < columns.length; x += 1) {
    for (let y = x + 1; y < columns.length; y += 1, pair += 1) {
      const found = moments[pair];
      const value = found ? correlation(found) : null;
      (values[x] as (number | null)[])[y] = value;
      (values[y] as (number | null)[])[x] = value;
    }
  }
  return { columns, values };
}

function pearsonOf(column: string, target: string, { columns, values }: ProfileSummary['correlations']): ColumnSummary['association'] {
  const value = column === target ? null : values[columns.indexOf(column)]?.[columns.indexOf(target)] ?? null;
  return value === null ? null : { measure: 'Pearson', value: Math.abs(value) };
}

function summarizeColumn(column: ColumnState, association: ColumnSummary['association']): ColumnSummary {
  const { name, type, nullable, present, missing, values, texts } = column;
  const rows = present + missing;
  const counts = values?.counts ?? [];
  const allValues = values !== null && values.error === 0;
  return {
    name, type, nullable, present, missing, missingShare: rows === 0 ? 0 : missing / rows,
    distinct: allValues ? counts.length : Math.min(present, Math.round(new DistinctSketch(decodeBytes(column.distinct)).estimate())), distinctExact: allValues,
    numbers: column.numbers && summarizeNumbers(column.numbers),
    texts: texts && { empty: texts.empty, shortest: texts.shortest, longest: texts.longest, meanLength: texts.lengths.n === 0 ? null : texts.lengths.mean },
    values: counts.slice(0, TOP).map(([value, count]) => ({ value, count, share: count / present })), valuesError: values?.error ?? 0, allValues,
    association,
  };
}

function summarizeNumbers(numbers: NonNullable<ColumnState['numbers']>): ColumnSummary['numbers'] {
  const { moments, minimum, maximum, zeros, negatives, integers } = numbers;
  const state = quantileState(numbers);
  const quantiles = quantilesOf(state, SHARES);
  return {
    minimum, maximum, mean: moments.n === 0 || !isKnown(moments.mean) ? null : moments.mean, standardDeviation: sampleDeviation(moments), zeros, negatives, integers,
    quantiles: SHARES.map((at, index) => ({ at, value: quantiles[index] ?? null })), rankError: state.n <= EXACT ? 0 : RANK_ERROR,
    histogram: minimum === null || maximum === null ? [] : histogramOf(state, minimum, maximum), outliers: outliersOf(state),
  };
}

/** Shares of equally wide bins from the least to the largest value; one bin where there is one value. */
function histogramOf(state: QuantileState, minimum: number, maximum: number): { from: number; to: number; share: number }[] {
  if (minimum === maximum) return [{ from: minimum, to: maximum, share: 1 }];
  const distribution = distributionOf(state);
  const edge = (index: number) => (index === BINS ? maximum : Number.isFinite(maximum - minimum) ? minimum + (maximum - minimum) * (index / BINS) : minimum * (1 - index / BINS) + maximum * (index / BINS));
  return Array.from({ length: BINS }, (_, index) => {
    // A value on an edge belongs to the bin below it; the least one to the first bin.
    const upTo = index === BINS - 1 ? 1 : shareUpTo(distribution, edge(index + 1));
    return { from: edge(index), to: edge(index + 1), share: Math.max(0, upTo - (index === 0 ? 0 : shareUpTo(distribution, edge(index)))) };
  });
}

/** J. Tukey, "Exploratory Data Analysis" (1977): what lies 1.5 times the interquartile range or more beyond a quartile. Null where the quartiles are one value. */
function outliersOf(state: QuantileState): NonNullable<ColumnSummary['numbers']>['outliers'] {
  const [lower, upper] = quantilesOf(state, [0.25, 0.75]);
  if (lower === null || upper === null || lower === undefined || upper === undefined || lower === upper) return null;
  const [below, above] = [lower - 1.5 * (upper - lower), upper + 1.5 * (upper - lower)];
  if (!Number.isFinite(below) || !Number.isFinite(above)) return null;
  const distribution = distributionOf(state);
  const least = distribution.values.findIndex((value) => value >= below);
  return { below, above, lowShare: least <= 0 ? 0 : distribution.below[least - 1] as number, highShare: 1 - shareUpTo(distribution, above) };
}
