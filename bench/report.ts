import { table } from '../cli/table.js';
import { quantile } from '../domain/quantiles.js';
import type { Figure } from './benchmark.js';

/** Digits that mean something: milliseconds and rates are whole. */
const DIGITS = { s: 2, ms: 0, 'rows/s': 0, 'requests/s': 0, '×': 3 } as const satisfies Record<Figure['unit'], number>;

/** The figures with their goals beside them. */
export function figuresTable(figures: readonly Figure[]): string {
  return table(['FIGURE', 'MEDIAN', 'WORST', 'GOAL', ''], figures.map((figure) => {
    const { title, value, worst, goal, least } = figure;
    const asked = goal !== undefined ? `≤ ${+goal.toFixed(3)} ${figure.unit}` : least !== undefined ? `≥ ${least} ${figure.unit}` : null;
    const met = value <= (goal ?? Infinity) && value >= (least ?? -Infinity);
    return [title, shown(figure, value), worst === undefined ? null : shown(figure, worst), asked, asked === null ? ' ' : met ? 'met' : 'MISSED'];
  }));
}

function shown({ unit }: Figure, value: number): string {
  return `${value.toFixed(DIGITS[unit])} ${unit}`;
}

/** One line; a figure's worst repetition follows it as `<name>Worst`. */
export function figuresJson(name: string, figures: readonly Figure[]): string {
  const entries = figures.flatMap((figure) => [[figure.name, rounded(figure.value)], ...(figure.worst === undefined ? [] : [[`${figure.name}Worst`, rounded(figure.worst)]])]);
  return JSON.stringify({ name, figures: Object.fromEntries(entries) as Record<string, number> });
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000;

export function median(values: readonly number[]): number {
  const found = quantile(values, 0.5);
  if (found === null) throw new RangeError('the median of nothing');
  return found;
}
