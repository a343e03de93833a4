import type { ColumnSummary } from '../../contract/data-profile.js';

/** A number with four digits that mean something: `1234.5`, `0.001235`, `1.2e-7`. */
export function shortNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const [least, most] = [1e-4, 1e9];
  const size = Math.abs(value);
  return size < least || size >= most ? value.toExponential(2) : String(Number(value.toPrecision(size >= 1000 ? 6 : 4)));
}

/** A value of a column of this type: of times, the instant. */
export function valueText(type: ColumnSummary['type'], value: number | null | undefined): string {
  if (type !== 'time' || value === null || value === undefined) return shortNumber(value);
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? '–' : time.toISOString().replace(/T00:00:00\.000Z$/, '').replace(/\.000Z$/, 'Z');
}

/** A share 0..1 as a percentage: `0.04%`, `3.2%`, `0%`. */
export function shareText(share: number): string {
  const percent = share * 100;
  return `${percent === 0 || percent === 100 ? percent : percent < 0.1 ? percent.toPrecision(1) : percent.toFixed(1)}%`;
}

/** `1.5 × IQR` fences and what lies beyond them, in words; null where nothing does. */
export function outlierText({ type, numbers }: ColumnSummary): string | null {
  const outliers = numbers?.outliers;
  if (!outliers || outliers.lowShare + outliers.highShare === 0) return null;
  const parts = [
    ...(outliers.lowShare > 0 ? [`${shareText(outliers.lowShare)} below ${valueText(type, outliers.below)}`] : []),
    ...(outliers.highShare > 0 ? [`${shareText(outliers.highShare)} above ${valueText(type, outliers.above)}`] : []),
  ];
  return parts.join(', ');
}
