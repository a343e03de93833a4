import type { DataProfile, ExamplePicture } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { ColumnSketch } from './column-sketch.js';
import { decodeDoubles, encodeDoubles } from './doubles.js';
import type { PairMoments } from './moments.js';
import { correlatedNames, isNumeric, NumberColumns, seedOfColumn } from './number-columns.js';
import type { NumbersState, ProfiledShape } from './number-columns.js';
import { rowsByClass } from './rows-by-class.js';
import type { MarkedTexts } from './text-tally.js';

/** Pictures that are shown of each class. */
const EXAMPLES = 4;

/** One column of some rows: numbers (NaN: missing; of times, milliseconds), or texts. */
export type ColumnChunk = { readonly numbers: Float64Array } | { readonly texts: MarkedTexts };

/** The columns of numbers among them, in their order. */
export const numbersOf = (chunks: readonly ColumnChunk[]): Float64Array[] => chunks.flatMap((chunk) => ('numbers' in chunk ? [chunk.numbers] : []));

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

  readonly #shape: ProfiledShape;

  /** By their places; null: a column of numbers. */
  readonly #texts: (ColumnSketch | null)[];

  /** Null where they are taken in elsewhere. */
  #numbers: NumberColumns | null;

  #examples: ExamplePicture[] = [];

  /** @param seed another one for every part that will be merged, such as a shard's number */
  constructor(private readonly kind: DataProfile['kind'], private readonly target: ProfiledShape['target'], columns: readonly TypedColumn[], seed: number, private readonly image: DataProfile['image'] = null) {
    this.#shape = { columns, target };
    this.#classRows = target.classes?.map(() => 0) ?? [];
    this.#classIndex = new Map(target.classes?.map((name, index) => [name, index]));
    const texts = columns.filter((column) => !isNumeric(column)).length;
    this.#texts = columns.map((column, index) => (isNumeric(column) ? null : new ColumnSketch(column, target.classes?.length ?? 0, seedOfColumn(seed, index), Math.min(MOST_OF_A_COLUMN, TEXTS_HELD / texts))));
    this.#numbers = new NumberColumns(this.#shape, seed);
  }

  /** The index of a class among the target's; -1 of another one. */
  classOf(label: string): number {
    return this.#classIndex.get(label) ?? -1;
  }

  /** Leaves the columns of numbers to other {@link NumberColumns}, whose state {@link state} is then given. */
  leaveNumbers(): void {
    this.#numbers = null;
  }

  /** Takes in `rows` rows, column by column. @param classes of the rows, as {@link classOf} gives them */
  add(rows: number, classes: Int32Array, chunks: readonly ColumnChunk[]): void {
    this.#rows += rows;
    const byClass = rowsByClass(classes, rows, this.#classRows.length);
    byClass.ends.forEach((end, index) => { this.#classRows[index] = (this.#classRows[index] ?? 0) + end - (byClass.ends[index - 1] ?? 0); });
    chunks.forEach((chunk, index) => { if ('texts' in chunk) this.#texts[index]?.addTexts(chunk.texts, classes, rows); });
    this.#numbers?.add(rows, classes, numbersOf(chunks), byClass);
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
    if (JSON.stringify(this.#shape) !== JSON.stringify(other.#shape)) throw new RangeError('profiles of different columns cannot be merged');
    this.#rows += other.#rows;
    other.#classRows.forEach((rows, index) => { this.#classRows[index] = (this.#classRows[index] ?? 0) + rows; });
    this.#texts.forEach((column, index) => { const theirs = other.#texts[index]; if (column && theirs) column.merge(theirs); });
    if (other.#numbers) this.#numbers?.merge(other.#numbers);
    this.addExamples(other.#examples);
  }

  /** @param numbers those that were left to others */
  state(numbers: NumbersState | undefined = this.#numbers?.state()): DataProfile {
    if (!numbers) throw new TypeError('the columns of numbers were left to others, whose state is needed');
    const names = this.target.classes;
    const columns = numbers.columns.values();
    return {
      v: 1, kind: this.kind, rows: this.#rows,
      target: { name: this.target.name, classes: names && names.map((name, index) => ({ name, rows: this.#classRows[index] ?? 0 })) },
      columns: this.#texts.flatMap((column) => column?.state() ?? columns.next().value ?? []),
      pairs: { columns: correlatedNames(this.#shape), moments: encodeDoubles(numbers.pairs.flatMap(({ n, x, y, xx, yy, xy }) => [n, x, y, xx, yy, xy])) },
      image: this.image,
      examples: this.#examples.toSorted((a, b) => (a.class === b.class ? 0 : a.class < b.class ? -1 : 1)),
    };
  }

  /** @param seed of a sketch that goes on; one for all parts that are merged into it */
  static from(state: DataProfile, seed: number): DataSketch {
    const sketch = new DataSketch(state.kind, { name: state.target.name, classes: state.target.classes?.map(({ name }) => name) ?? null }, state.columns.map(({ name, type, nullable }) => ({ name, type, nullable })), seed, state.image);
    sketch.#rows = state.rows;
    state.target.classes?.forEach(({ rows }, index) => { sketch.#classRows[index] = rows; });
    state.columns.forEach((column, index) => { if (!isNumeric(column)) sketch.#texts[index] = ColumnSketch.from(column, state.target.classes?.length ?? 0, seedOfColumn(seed, index)); });
    sketch.#numbers = NumberColumns.from({ columns: state.columns.filter(isNumeric), pairs: pairsFrom(state.pairs.moments) }, sketch.#shape, seed);
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
