import type { ColumnSummary, ProfileSummary } from '../contract/data-profile.js';
import { outlierText, shareText, shortNumber, valueText } from '../domain/profile/words.js';
import { table } from './table.js';

const BARS = '▁▂▃▄▅▆▇█';
/** Correlations that are shown. */
const STRONGEST = 5;

/** A profile for the terminal. */
export function profileText(title: string, summary: ProfileSummary): string {
  const { rows, target, columns } = summary;
  const classes = target.classes?.map(({ name, rows: n, share }) => `${name} ${n} (${shareText(share)})`).join(', ');
  const strong = strongest(summary);
  return [
    `${title}: ${rows} ${summary.kind === 'images' ? 'pictures' : 'rows'}${classes ? `; ${target.name}: ${classes}` : ''}`, '',
    table(['COLUMN', 'TYPE', 'MISSING', 'DISTINCT', 'LEAST', 'MEDIAN', 'MEAN', 'LARGEST', 'DISTRIBUTION', 'TARGET'], columns.map(row)),
    ...columns.flatMap((column) => { const text = outlierText(column); return text === null ? [] : [`outliers of ${column.name}: ${text}`]; }),
    ...(strong.length > 0 ? [`strongest correlations: ${strong.map(({ a, b, value }) => `${a} and ${b} ${value.toFixed(2)}`).join(', ')}`] : []),
  ].join('\n');
}

function row(column: ColumnSummary): string[] {
  const { name, type, numbers, texts, missing, missingShare, distinct, distinctExact, association } = column;
  const shown = (value: number | null | undefined) => valueText(type, value);
  const median = numbers?.quantiles.find(({ at }) => at === 0.5)?.value;
  return [
    name, type, missing === 0 ? '' : shareText(missingShare), `${distinctExact ? '' : '~'}${distinct}`,
    ...(numbers ? [shown(numbers.minimum), shown(median), type === 'time' ? '' : shown(numbers.mean), shown(numbers.maximum)] : ['', '', texts ? `${shortNumber(texts.meanLength)} characters` : '', '']),
    numbers ? bars(numbers.histogram.map(({ share }) => share)) : frequent(column), association ? association.value.toFixed(2) : '',
  ];
}

/** A histogram in one line. */
function bars(shares: readonly number[]): string {
  const most = Math.max(...shares, Number.MIN_VALUE);
  return shares.map((share) => (share === 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((share / most) * BARS.length))] ?? '')).join('');
}

function frequent({ values }: ColumnSummary): string {
  return values.slice(0, 3).map(({ value, share }) => `${value.length > 14 ? `${value.slice(0, 13)}…` : value || '(empty)'} ${shareText(share)}`).join(', ');
}

function strongest({ correlations: { columns, values } }: ProfileSummary): { a: string; b: string; value: number }[] {
  const pairs = columns.flatMap((a, x) => columns.slice(x + 1).flatMap((b, y) => { const value = values[x]?.[x + 1 + y]; return value === null || value === undefined ? [] : [{ a, b, value }]; }));
  return pairs.filter(({ value }) => Math.abs(value) >= 0.5).sort((one, other) => Math.abs(other.value) - Math.abs(one.value)).slice(0, STRONGEST);
}
