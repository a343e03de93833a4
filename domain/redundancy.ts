import type { Cell } from './cells.js';
import { correlation } from './correlation.js';

/** Columns, by their places, each of which another of the group nearly tells; `strength` is the weakest tie that the group needs, 0..1. */
export interface RedundantGroup { readonly places: readonly number[]; readonly strength: number }

/** From here on two columns say nearly the same: of two numbers, four fifths of the variance of the ranks. */
export const REDUNDANT_FROM = 0.9;
/** With fewer rows in which both have a value, nothing is said of them. */
const LEAST_ROWS = 30;

type Column = { readonly kind: 'ranked'; readonly values: Float64Array } | { readonly kind: 'named'; readonly values: Int32Array };

/**
 * Groups of columns that say nearly the same: those tied by {@link REDUNDANT_FROM} or more, directly or over others (single linkage). The tie
 * of two numbers (or times) is Spearman's rank correlation without its sign, of two texts (or booleans) Cramér's V, of a number and
 * a text the correlation ratio of the ranks, the latter two corrected for what chance gives to many values.
 * @param columns the values of each column, row by row; null is missing, and a row counts where both have a value
 */
export function redundantGroups(columns: readonly (readonly Cell[])[]): RedundantGroup[] {
  const encoded = columns.map(encode);
  const ties: { a: number; b: number; strength: number }[] = [];
  encoded.forEach((one, a) => {
    for (let b = a + 1; b < encoded.length; b += 1) {
      const strength = tie(one, encoded[b] ?? one);
      if (strength !== null && strength >= REDUNDANT_FROM) ties.push({ a, b, strength });
    }
  });
  // Kruskal's way, the strongest tie first: the last one that joins two groups is the weakest that the whole needs.
  const groups = new Map(columns.map((_, place) => [place, { places: [place], strength: 1 }]));
  for (const { a, b, strength } of ties.sort((one, other) => other.strength - one.strength)) {
    const [left, right] = [groups.get(a), groups.get(b)];
    if (!left || !right || left === right) continue;
    const joined = { places: [...left.places, ...right.places].sort((one, other) => one - other), strength };
    for (const place of joined.places) groups.set(place, joined);
  }
  return [...new Set(groups.values())].filter(({ places }) => places.length > 1);
}

/** Numbers and times as numbers, NaN where they are missing; texts and booleans as numbers of their values, -1 where they are missing. */
function encode(values: readonly Cell[]): Column {
  const known = values.filter((value) => value !== null);
  if (known.every((value) => typeof value === 'number')) return { kind: 'ranked', values: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) };
  if (known.every((value) => typeof value === 'string' && TIME.test(value))) return { kind: 'ranked', values: Float64Array.from(values, (value) => (value === null ? NaN : Date.parse(String(value)))) };
  const numbers = new Map<Cell, number>();
  const coded = Int32Array.from(values, (value) => {
    if (value === null) return -1;
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  });
  return { kind: 'named', values: coded };
}

/** As cells hold times. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function tie(a: Column, b: Column): number | null {
  const rows = [...a.values.keys()].filter((row) => present(a, row) && present(b, row));
  if (rows.length < LEAST_ROWS) return null;
  if (a.kind === 'ranked' && b.kind === 'ranked') return spearman(rows.map((row) => a.values[row] ?? 0), rows.map((row) => b.values[row] ?? 0));
  if (a.kind === 'named' && b.kind === 'named') return correctedV(rows.map((row) => a.values[row] ?? 0), rows.map((row) => b.values[row] ?? 0));
  const [ranked, named] = a.kind === 'ranked' ? [a, b] : [b, a];
  return correctedRatio(rows.map((row) => ranked.values[row] ?? 0), rows.map((row) => named.values[row] ?? 0));
}

const present = (column: Column, row: number) => (column.kind === 'ranked' ? !Number.isNaN(column.values[row]) : column.values[row] !== -1);

/** Pearson's correlation of the ranks without its sign; equal values share their mean rank. Null where one does not vary. C. Spearman, 1904. */
export function spearman(a: readonly number[], b: readonly number[]): number | null {
  const correlated = correlation(ranks(a), ranks(b));
  return correlated === null ? null : Math.abs(correlated);
}

function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, row) => row).sort((one, other) => (values[one] ?? 0) - (values[other] ?? 0));
  const ranked = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end += 1;
    for (let at = start; at < end; at += 1) ranked[order[at] ?? 0] = (start + 1 + end) / 2;
  }
  return ranked;
}

/** Cramér's V with its bias taken off: W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society 42 (2013). Null where one does not vary. */
export function correctedV(a: readonly number[], b: readonly number[]): number | null {
  const n = a.length;
  const cells = new Map<string, { row: number; column: number; count: number }>();
  const [rows, columns] = [new Map<number, number>(), new Map<number, number>()];
  a.forEach((row, index) => {
    const column = b[index] ?? 0;
    const cell = cells.get(`${row}/${column}`) ?? { row, column, count: 0 };
    cell.count += 1;
    cells.set(`${row}/${column}`, cell);
    rows.set(row, (rows.get(row) ?? 0) + 1);
    columns.set(column, (columns.get(column) ?? 0) + 1);
  });
  const [r, c] = [rows.size, columns.size];
  if (r < 2 || c < 2) return null;
  // Chi squared over n: the sum over the cells of count² / (row × column), less 1. Empty cells add nothing.
  let phi = -1;
  for (const { row, column, count } of cells.values()) phi += count ** 2 / ((rows.get(row) ?? 1) * (columns.get(column) ?? 1));
  const corrected = Math.max(0, phi - ((r - 1) * (c - 1)) / (n - 1));
  const least = Math.min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1;
  return least <= 0 ? null : Math.min(1, Math.sqrt(corrected / least));
}

/** The root of epsilon squared (T. L. Kelley, 1935) of the ranks: the correlation ratio with what chance gives to many groups taken off. Null where nothing varies, or each row is a group. */
export function correctedRatio(values: readonly number[], groups: readonly number[]): number | null {
  const ranked = ranks(values);
  const sums = new Map<number, { sum: number; n: number }>();
  ranked.forEach((rank, row) => {
    const of = sums.get(groups[row] ?? 0) ?? { sum: 0, n: 0 };
    of.sum += rank;
    of.n += 1;
    sums.set(groups[row] ?? 0, of);
  });
  const n = values.length;
  const mean = (n + 1) / 2;
  const total = ranked.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  if (total === 0 || sums.size < 2 || n <= sums.size) return null;
  const between = [...sums.values()].reduce((sum, of) => sum + of.n * (of.sum / of.n - mean) ** 2, 0);
  return Math.sqrt(Math.max(0, 1 - ((total - between) / (n - sums.size)) / (total / (n - 1))));
}
