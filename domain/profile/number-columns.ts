import type { ColumnState } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { ColumnSketch } from './column-sketch.js';
import { pairMomentsOf, PairTable, surveyOf } from './moments.js';
import type { Moments, PairMoments } from './moments.js';
import { pairProducts } from './pair-products.js';
import { rowsByClass } from './rows-by-class.js';
import type { RowsByClass } from './rows-by-class.js';

/** Correlations are of the first numeric columns: their pairs grow with the square. */
export const CORRELATED = 40;

/** What is profiled: its columns, and the column that is the target, with its classes. */
export interface ProfiledShape { readonly columns: readonly TypedColumn[]; readonly target: { readonly name: string; readonly classes: readonly string[] | null } }

/** Of the columns of numbers, in their order; and of each two that are correlated. */
export interface NumbersState { readonly columns: readonly ColumnState[]; readonly pairs: readonly PairMoments[] }

export const isNumeric = ({ type }: TypedColumn): boolean => type === 'number' || type === 'time';
/** @param column its place among all columns of the profile */
export const seedOfColumn = (seed: number, column: number): number => (Math.imul(seed + 1, 0x9e3779b1) ^ column) >>> 0;

/** The columns of numbers of a profile while it is made, and their correlations. They need nothing of the others, so another thread can take them in. */
export class NumberColumns {
  #sketches: ColumnSketch[];

  /** Places among the columns of numbers. */
  readonly #correlated: readonly number[];

  #pairs: PairTable;

  /** Of each column: filled again with every chunk. */
  readonly #deviations: Float64Array[];

  /** Of the chunk's columns in which no number is missing. */
  readonly #whole = new Map<number, Moments>();

  readonly #classes: number;

  constructor(shape: ProfiledShape, seed: number) {
    this.#classes = shape.target.classes?.length ?? 0;
    this.#sketches = shape.columns.flatMap((column, place) => (isNumeric(column) ? [new ColumnSketch(column, this.#classes, seedOfColumn(seed, place))] : []));
    this.#deviations = this.#sketches.map(() => new Float64Array(0));
    this.#correlated = correlatedOf(shape);
    this.#pairs = new PairTable((this.#correlated.length * (this.#correlated.length - 1)) / 2);
  }

  static from({ columns, pairs }: NumbersState, shape: ProfiledShape, seed: number): NumberColumns {
    const numbers = new NumberColumns(shape, seed);
    const places = shape.columns.flatMap((column, place) => (isNumeric(column) ? [place] : []));
    numbers.#sketches = columns.map((column, at) => ColumnSketch.from(column, numbers.#classes, seedOfColumn(seed, places[at] ?? 0)));
    numbers.#pairs = PairTable.from(pairs);
    return numbers;
  }

  /** Takes in `rows` rows. @param classes of the rows; -1: none of the target's @param numbers of each column, in their order; NaN: missing */
  add(rows: number, classes: Int32Array, numbers: readonly Float64Array[], byClass = rowsByClass(classes, rows, this.#classes)): void {
    this.#whole.clear();
    numbers.forEach((values, at) => { this.#addColumn(at, values, { classes, byClass, rows }); });
    this.#addPairs(rows, numbers);
  }

  #addColumn(at: number, numbers: Float64Array, { classes, byClass, rows }: { classes: Int32Array; byClass: RowsByClass; rows: number }): void {
    const column = this.#sketches[at];
    const deviations = this.#deviationsOf(at, rows);
    const survey = surveyOf(numbers, rows, deviations);
    if (survey.moments.mean === survey.moments.mean) {
      column?.addNumbers({ values: numbers, survey, deviations, byClass }, 0);
      this.#whole.set(at, survey.moments);
      return;
    }
    const [values, ofClass] = [new Float64Array(rows), new Int32Array(rows)];
    let count = 0;
    for (let row = 0; row < rows; row += 1) {
      const value = numbers[row] as number;
      if (value !== value) continue;
      values[count] = value;
      ofClass[count] = classes[row] as number;
      count += 1;
    }
    column?.addNumbers({ values, survey: surveyOf(values, count, deviations), deviations, byClass: rowsByClass(ofClass, count, this.#classes) }, rows - count);
  }

  #deviationsOf(at: number, rows: number): Float64Array {
    const held = this.#deviations[at];
    return held && held.length >= rows ? held : this.#deviations[at] = new Float64Array(rows);
  }

  #addPairs(rows: number, numbers: readonly Float64Array[]): void {
    const whole = this.#correlated.filter((at) => this.#whole.has(at));
    const products = pairProducts(whole.map((at) => this.#deviations[at] as Float64Array), rows);
    const places = this.#correlated.map((at) => whole.indexOf(at));
    const moments = this.#correlated.map((at) => this.#whole.get(at));
    let pair = 0;
    for (let x = 0; x < places.length; x += 1) {
      for (let y = x + 1; y < places.length; y += 1) {
        const [a, b] = [moments[x], moments[y]];
        this.#pairs.merge(pair++, a && b
          ? { n: rows, x: a.mean, y: b.mean, xx: a.m2, yy: b.m2, xy: products[(places[x] as number) * whole.length + (places[y] as number)] as number }
          : pairMomentsOf(numbers[this.#correlated[x] as number] as Float64Array, numbers[this.#correlated[y] as number] as Float64Array, rows));
      }
    }
  }

  /** Of the same columns, and another seed. */
  merge(other: NumberColumns): void {
    this.#sketches.forEach((column, at) => { const theirs = other.#sketches[at]; if (theirs) column.merge(theirs); });
    other.#pairs.all().forEach((pair, at) => { this.#pairs.merge(at, pair); });
  }

  state(): NumbersState {
    return { columns: this.#sketches.map((sketch) => sketch.state()), pairs: this.#pairs.all() };
  }
}

/** The names of the columns that are correlated, in the order of the pairs. */
export function correlatedNames(shape: ProfiledShape): string[] {
  const numeric = shape.columns.filter(isNumeric);
  return correlatedOf(shape).map((at) => numeric[at]?.name ?? '');
}

/** Columns of numbers but not of times, by their places among both; one that is the target is always among them. */
function correlatedOf({ columns, target }: ProfiledShape): number[] {
  const numeric = columns.filter(isNumeric);
  const numbers = numeric.flatMap(({ type }, at) => (type === 'number' ? [at] : []));
  const first = numbers.slice(0, CORRELATED);
  const targetAt = numbers.find((at) => target.classes === null && numeric[at]?.name === target.name);
  return targetAt === undefined || first.includes(targetAt) ? first : [...first.slice(0, CORRELATED - 1), targetAt];
}
