import type { DataProfile, ExamplePicture } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { ColumnSketch } from './column-sketch.js';
import type { RowsByClass } from './column-sketch.js';
import { decodeDoubles, encodeDoubles } from './doubles.js';
import { mergePairs, NO_PAIRS, pairMomentsOf, surveyOf } from './moments.js';
import type { Moments, PairMoments } from './moments.js';
import { pairProducts } from './pair-products.js';
import type { MarkedTexts } from './text-tally.js';

/** Correlations are of the first numeric columns: their pairs grow with the square. */
export const CORRELATED = 40;
/** Pictures that are shown of each class. */
const EXAMPLES = 4;

type Target = { readonly name: string; readonly classes: readonly string[] | null };

/** One column of some rows: numbers (NaN: missing; of times, milliseconds), or texts. */
export type ColumnChunk = { readonly numbers: Float64Array } | { readonly texts: MarkedTexts };

/** Different texts that all columns together hold while they are counted; no column more than it is likely to need. */
const TEXTS_HELD = 2 ** 17;
const MOST_OF_A_COLUMN = 2 ** 14;

/**
 * The profile of rows while it is made. Sketches of parts can be merged: counts, extremes, moments and correlations come out as of the
 * whole, but for rounding; quantiles, distinct values and frequent ones within the errors that their sketches state.
 */
export class DataSketch {
  #rows = 0;

  /** Of each of the target's classes. */
  readonly #classRows: number[];

  readonly #classIndex: ReadonlyMap<string, number>;

  readonly #columns: ColumnSketch[];

  readonly #correlated: readonly number[];

  #pairs: PairMoments[];

  /** Of each column: filled again with every chunk. */
  readonly #deviations: Float64Array[] = [];

  /** Of the chunk's columns in which no number is missing. */
  readonly #whole = new Map<number, Moments>();

  #examples: ExamplePicture[] = [];

  /** @param seed another one for every part that will be merged, such as a shard's number */
  constructor(private readonly kind: DataProfile['kind'], private readonly target: Target, private readonly columns: readonly TypedColumn[], private readonly seed: number, private readonly image: DataProfile['image'] = null) {
    this.#classRows = target.classes?.map(() => 0) ?? [];
    this.#classIndex = new Map(target.classes?.map((name, index) => [name, index]));
    const texts = columns.filter(({ type }) => type !== 'number' && type !== 'time').length;
    this.#columns = columns.map((column, index) => new ColumnSketch(column, target.classes?.length ?? 0, seedOf(seed, index), Math.min(MOST_OF_A_COLUMN, TEXTS_HELD / texts)));
    this.#correlated = correlatedOf(columns, target);
    this.#pairs = new Array<PairMoments>(pairsOf(this.#correlated.length)).fill(NO_PAIRS);
  }

  /** The index of a class among the target's; -1 of another one. */
  classOf(label: string): number {
    return this.#classIndex.get(label) ?? -1;
  }

  /** Takes in `rows` rows, column by column. @param classes of the rows, as {@link classOf} gives them */
  add(rows: number, classes: Int32Array, chunks: readonly ColumnChunk[]): void {
    this.#rows += rows;
    const byClass = this.#byClass(classes, rows);
    byClass.ends.forEach((end, index) => { this.#classRows[index] = (this.#classRows[index] ?? 0) + end - (byClass.ends[index - 1] ?? 0); });
    this.#whole.clear();
    chunks.forEach((chunk, index) => {
      if ('numbers' in chunk) this.#addNumbers(index, chunk.numbers, { classes, byClass, rows });
      else this.#columns[index]?.addTexts(chunk.texts, classes, rows);
    });
    this.#addPairs(rows, chunks);
  }

  #byClass(classes: Int32Array, rows: number): RowsByClass {
    const ends = new Int32Array(this.#classRows.length);
    for (let row = 0; row < rows; row += 1) {
      const at = classes[row] as number;
      if (at >= 0) ends[at] = (ends[at] as number) + 1;
    }
    for (let at = 1; at < ends.length; at += 1) ends[at] = (ends[at] as number) + (ends[at - 1] as number);
    const order = new Int32Array(rows);
    // Each class is filled from its end.
    const free = ends.slice();
    for (let row = rows - 1; row >= 0; row -= 1) {
      const at = classes[row] as number;
      if (at >= 0) order[free[at] = (free[at] as number) - 1] = row;
    }
    return { order, ends };
  }

  #addNumbers(index: number, numbers: Float64Array, { classes, byClass, rows }: { classes: Int32Array; byClass: RowsByClass; rows: number }): void {
    const column = this.#columns[index];
    const deviations = this.#deviationsOf(index, rows);
    const survey = surveyOf(numbers, rows, deviations);
    if (survey.moments.mean === survey.moments.mean) {
      column?.addNumbers({ values: numbers, survey, deviations, byClass }, 0);
      this.#whole.set(index, survey.moments);
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
    column?.addNumbers({ values, survey: surveyOf(values, count, deviations), deviations, byClass: this.#byClass(ofClass, count) }, rows - count);
  }

  #deviationsOf(index: number, rows: number): Float64Array {
    const held = this.#deviations[index];
    return held && held.length >= rows ? held : this.#deviations[index] = new Float64Array(rows);
  }

  #addPairs(rows: number, chunks: readonly ColumnChunk[]): void {
    const whole = this.#correlated.filter((index) => this.#whole.has(index));
    const products = pairProducts(whole.map((index) => this.#deviations[index] as Float64Array), rows);
    const places = this.#correlated.map((index) => whole.indexOf(index));
    const numbers = (index: number) => { const chunk = chunks[index]; return chunk && 'numbers' in chunk ? chunk.numbers : new Float64Array(rows).fill(NaN); };
    let pair = 0;
    for (let x = 0; x < places.length; x += 1) {
      for (let y = x + 1; y < places.length; y += 1, pair += 1) {
        const [left, right] = [this.#correlated[x] as number, this.#correlated[y] as number];
        const [a, b] = [this.#whole.get(left), this.#whole.get(right)];
        const part: PairMoments = a && b
          ? { n: rows, x: a.mean, y: b.mean, xx: a.m2, yy: b.m2, xy: products[(places[x] as number) * whole.length + (places[y] as number)] as number }
          : pairMomentsOf(numbers(left), numbers(right), rows);
        this.#pairs[pair] = mergePairs(this.#pairs[pair] as PairMoments, part);
      }
    }
  }

  /** Offers pictures to be shown; those with the lowest digests of each class are. */
  addExamples(pictures: readonly ExamplePicture[]): void {
    const all = [...this.#examples, ...pictures].sort((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0));
    const shown = new Map<string, ExamplePicture[]>();
    for (const picture of all) {
      const ofClass = shown.get(picture.class) ?? [];
      if (ofClass.length < EXAMPLES && !ofClass.some(({ digest }) => digest === picture.digest)) shown.set(picture.class, [...ofClass, picture]);
    }
    this.#examples = [...shown.values()].flat();
  }

  /** @throws RangeError for a sketch of other columns, or of another target */
  merge(other: DataSketch): void {
    if (shapeOf(this.columns, this.target) !== shapeOf(other.columns, other.target)) throw new RangeError('profiles of different columns cannot be merged');
    this.#rows += other.#rows;
    other.#classRows.forEach((rows, index) => { this.#classRows[index] = (this.#classRows[index] ?? 0) + rows; });
    this.#columns.forEach((column, index) => { const theirs = other.#columns[index]; if (theirs) column.merge(theirs); });
    this.#pairs = this.#pairs.map((pair, index) => mergePairs(pair, other.#pairs[index] ?? NO_PAIRS));
    this.addExamples(other.#examples);
  }

  state(): DataProfile {
    const names = this.target.classes;
    return {
      v: 1, kind: this.kind, rows: this.#rows,
      target: { name: this.target.name, classes: names && names.map((name, index) => ({ name, rows: this.#classRows[index] ?? 0 })) },
      columns: this.#columns.map((column) => column.state()),
      pairs: { columns: this.#correlated.map((index) => this.columns[index]?.name ?? ''), moments: encodeDoubles(this.#pairs.flatMap(({ n, x, y, xx, yy, xy }) => [n, x, y, xx, yy, xy])) },
      image: this.image,
      examples: this.#examples.toSorted((a, b) => (a.class === b.class ? 0 : a.class < b.class ? -1 : 1)),
    };
  }

  /** @param seed of a sketch that goes on; one for all parts that are merged into it */
  static from(state: DataProfile, seed: number): DataSketch {
    const sketch = new DataSketch(state.kind, { name: state.target.name, classes: state.target.classes?.map(({ name }) => name) ?? null }, state.columns.map(({ name, type, nullable }) => ({ name, type, nullable })), seed, state.image);
    sketch.#rows = state.rows;
    state.target.classes?.forEach(({ rows }, index) => { sketch.#classRows[index] = rows; });
    state.columns.forEach((column, index) => { sketch.#columns[index] = ColumnSketch.from(column, state.target.classes?.length ?? 0, seedOf(seed, index)); });
    sketch.#pairs = pairsFrom(state.pairs.moments);
    sketch.#examples = state.examples;
    return sketch;
  }
}

/** Puts the profile of all rows together from those of their parts, one at a time. */
export function createProfileMerger(): { add(part: DataProfile): void; /** @throws RangeError of no part */ profile(): DataProfile } {
  let whole: DataSketch | null = null;
  let parts = 0;
  return {
    add(part) {
      const sketch = DataSketch.from(part, parts += 1);
      if (whole) whole.merge(sketch);
      else whole = sketch;
    },
    profile() {
      if (!whole) throw new RangeError('a profile is of at least one part');
      return whole.state();
    },
  };
}

/** The profile of all rows from those of their parts, in their order. @throws RangeError of none, or of different columns */
export function mergeProfiles(parts: readonly DataProfile[]): DataProfile {
  const merger = createProfileMerger();
  for (const part of parts) merger.add(part);
  return merger.profile();
}

export function pairsFrom(text: string): PairMoments[] {
  const values = decodeDoubles(text);
  return Array.from({ length: values.length / 6 }, (_, pair) => {
    const [n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0] = values.slice(pair * 6, pair * 6 + 6);
    return { n, x, y, xx, yy, xy };
  });
}

const pairsOf = (columns: number) => (columns * (columns - 1)) / 2;
const seedOf = (seed: number, column: number) => (Math.imul(seed + 1, 0x9e3779b1) ^ column) >>> 0;
const shapeOf = (columns: readonly TypedColumn[], target: Target) => JSON.stringify([columns, target]);

/** Columns of numbers; one that is the target is always among them. */
function correlatedOf(columns: readonly TypedColumn[], target: Target): number[] {
  const numeric = columns.flatMap(({ type }, index) => (type === 'number' ? [index] : []));
  const first = numeric.slice(0, CORRELATED);
  const targetAt = numeric.find((index) => target.classes === null && columns[index]?.name === target.name);
  return targetAt === undefined || first.includes(targetAt) ? first : [...first.slice(0, CORRELATED - 1), targetAt];
}
