import type { ColumnSummary, ProfileSummary } from '../../contract/data-profile.js';
import type { ExpectationInput } from '../../definition/expectations.js';

/** Values that a set is suggested of: as many different ones at most, each of them seen often. */
const SET = { values: 20, rowsEach: 20 };
const DAY = 86_400_000;

/**
 * Expectations that hold on the rows of a profile, with room for others like them: only what the profile knows exactly is used.
 * `block` is for what a row is by its nature (a whole number, not negative, never empty), `warn` for what it happened to be.
 */
export function suggestionsOf(summary: ProfileSummary): ExpectationInput[] {
  if (summary.kind === 'images' || summary.rows === 0) return [];
  const inputs = summary.columns.filter(({ name }) => name !== summary.target.name);
  return [{ kind: 'row-count', min: Math.floor(summary.rows / 2), severity: 'warn' }, ...inputs.flatMap((column) => (column.present === 0 ? [] : ofColumn(column)))];
}

function ofColumn(column: ColumnSummary): ExpectationInput[] {
  const { name, type, nullable, missing, missingShare, numbers } = column;
  return [
    // A column that is not nullable has no row without a value anyway.
    ...(missing === 0 ? (nullable ? [{ kind: 'not-null', column: name } as const] : []) : [{ kind: 'statistic', column: name, statistic: 'missing-share', max: outward(Math.min(1, missingShare * 1.5 + 0.01), 1), severity: 'warn' } as const]),
    ...(type === 'number' && numbers ? ofNumbers(column, numbers) : []),
    ...(type === 'time' && numbers?.minimum !== null && numbers ? [{ kind: 'between', column: name, min: new Date(Math.floor(numbers.minimum / DAY) * DAY).toISOString() } as const] : []),
    ...(type === 'text' ? ofTexts(column) : []),
  ];
}

function ofNumbers({ name, present }: ColumnSummary, { minimum, maximum, mean, standardDeviation, integers }: NonNullable<ColumnSummary['numbers']>): ExpectationInput[] {
  if (minimum === null || maximum === null || mean === null) return [];
  const room = (maximum - minimum) * 0.1;
  const [low, high] = [outward(minimum - room, -1), outward(maximum + room, 1)];
  return [
    ...(integers === present ? [{ kind: 'type', column: name, type: 'integer' } as const] : []),
    ...(minimum >= 0 ? [{ kind: 'between', column: name, min: 0 } as const] : []),
    { kind: 'between', column: name, min: minimum >= 0 ? Math.max(0, low) : low, max: high, severity: 'warn' },
    ...(standardDeviation !== null && standardDeviation > 0 ? [{ kind: 'statistic', column: name, statistic: 'mean', min: outward(mean - standardDeviation / 2, -1), max: outward(mean + standardDeviation / 2, 1), severity: 'warn' } as const] : []),
  ];
}

function ofTexts({ name, present, values, allValues, distinct, texts }: ColumnSummary): ExpectationInput[] {
  // What is listed is the most frequent ones: a set is suggested where that is all.
  if (allValues && values.length === distinct && distinct <= SET.values && present >= distinct * SET.rowsEach && values.every(({ value }) => !value.endsWith('…'))) {
    return [{ kind: 'in-set', column: name, values: values.map(({ value }) => value).sort(), severity: 'warn' }];
  }
  if (texts?.longest === null || !texts || texts.shortest === null) return [];
  return [
    ...(texts.shortest > 0 ? [{ kind: 'length', column: name, min: 1 } as const] : []),
    { kind: 'length', column: name, max: Math.max(1, texts.longest * 2), severity: 'warn' },
  ];
}

/** A round number at `value` or beyond it: up for 1, down for -1. */
function outward(value: number, direction: 1 | -1): number {
  if (value === 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  const rounded = (direction === 1 ? Math.ceil(value / step) : Math.floor(value / step)) * step;
  const tidy = Number(rounded.toPrecision(12));
  // Rounding to tidy digits may fall short by the last bit.
  return direction * (tidy - value) >= 0 ? tidy : value;
}
