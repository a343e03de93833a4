import type { DataProfile, ExamplePicture } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { ColumnSketch } from './column-sketch.js';
import { decodeDoubles, encodeDoubles } from './doubles.js';
import { mergePairs, NO_PAIRS, pairMomentsOf } from './moments.js';
import type { PairMoments } from './moments.js';

/** Correlations are of the first numeric columns: their pairs grow with the square. */
export const CORRELATED = 40;
/** Pictures that are shown of each class. */
const EXAMPLES = 4;

type Target = { readonly name: string; readonly classes: readonly string[] | null };

/** One column of some rows: numbers (NaN: missing; of times, milliseconds), or texts (null: missing) with their lengths in characters. */
export type ColumnChunk = { readonly numbers: Float64Array } | { readonly texts: readonly (string | null)[]; readonly lengths: Float64Array };

/**
 * The profile of rows while it is made. Sketches of parts can be merged: counts, extremes, moments and correlations come out as of the
 * whole, but for rounding; quantiles, distinct values and frequent ones within the errors that their sketches state.
 */
export class DataSketch {
  #rows = 0;

  readonly #classRows: Map<string, number>;

  readonly #classIndex: ReadonlyMap<string, number>;

  readonly #columns: ColumnSketch[];

  readonly #correlated: readonly number[];

  #pairs: PairMoments[];

  /** Filled again with every chunk. */
  readonly #deviations: Float64Array[] = [];

  #examples: ExamplePicture[] = [];

  /** @param seed another one for every part that will be merged, such as a shard's number */
  constructor(private readonly kind: DataProfile['kind'], private readonly target: Target, private readonly columns: readonly TypedColumn[], private readonly seed: number, private readonly image: DataProfile['image'] = null) {
    this.#classRows = new Map(target.classes?.map((name) => [name, 0]));
    this.#classIndex = new Map(target.classes?.map((name, index) => [name, index]));
    this.#columns = columns.map((column, index) => new ColumnSketch(column, target.classes?.length ?? 0, seedOf(seed, index)));
    this.#correlated = correlatedOf(columns, target);
    this.#pairs = new Array<PairMoments>(pairsOf(this.#correlated.length)).fill(NO_PAIRS);
  }

  /** Takes in `rows` rows, column by column. @param labels of the rows, where the target has classes */
  add(rows: number, labels: readonly string[], chunks: readonly ColumnChunk[]): void {
    this.#rows += rows;
    const classes = new Int32Array(rows).fill(-1);
    for (let row = 0; this.target.classes && row < rows; row += 1) {
      const label = labels[row] ?? '';
      const found = this.#classIndex.get(label);
      if (found === undefined) continue;
      classes[row] = found;
      this.#classRows.set(label, (this.#classRows.get(label) ?? 0) + 1);
    }
    chunks.forEach((chunk, index) => {
      const column = this.#columns[index];
      if ('numbers' in chunk) addNumbers(column, chunk.numbers, classes, rows);
      else addTexts(column, chunk, classes, rows);
    });
    this.#addPairs(rows, chunks);
  }

  #addPairs(rows: number, chunks: readonly ColumnChunk[]): void {
    const columns = this.#correlated.map((index) => { const chunk = chunks[index]; return chunk && 'numbers' in chunk ? chunk.numbers : new Float64Array(rows).fill(NaN); });
    const whole = columns.map((values, index) => centred(values, rows, this.#deviations[index]));
    whole.forEach((column, index) => { if (column) this.#deviations[index] = column.values; });
    let pair = 0;
    for (let x = 0; x < columns.length; x += 1) {
      for (let y = x + 1; y < columns.length; y += 1, pair += 1) {
        const [a, b] = [whole[x], whole[y]];
        let part: PairMoments;
        if (a && b) {
          part = { n: rows, x: a.mean, y: b.mean, xx: a.m2, yy: b.m2, xy: productOf(a.values, b.values, rows) };
        } else part = pairMomentsOf(columns[x] as Float64Array, columns[y] as Float64Array, rows);
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
    for (const [name, rows] of other.#classRows) this.#classRows.set(name, (this.#classRows.get(name) ?? 0) + rows);
    this.#columns.forEach((column, index) => { const theirs = other.#columns[index]; if (theirs) column.merge(theirs); });
    this.#pairs = this.#pairs.map((pair, index) => mergePairs(pair, other.#pairs[index] ?? NO_PAIRS));
    this.addExamples(other.#examples);
  }

  state(): DataProfile {
    const names = this.target.classes;
    return {
      v: 1, kind: this.kind, rows: this.#rows,
      target: { name: this.target.name, classes: names && names.map((name) => ({ name, rows: this.#classRows.get(name) ?? 0 })) },
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
    for (const { name, rows } of state.target.classes ?? []) sketch.#classRows.set(name, rows);
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

/**
 * Sum of the products of two columns. Four sums at a time, since each addition waits for the one before it. Declared one by one: taken out of an array,
 * V8 does not keep them as doubles, and the loop takes four times as long.
 */
function productOf(a: Float64Array, b: Float64Array, rows: number): number {
  let one = 0;
  let two = 0;
  let three = 0;
  let four = 0;
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    one += (a[row] as number) * (b[row] as number);
    two += (a[row + 1] as number) * (b[row + 1] as number);
    three += (a[row + 2] as number) * (b[row + 2] as number);
    four += (a[row + 3] as number) * (b[row + 3] as number);
  }
  for (; row < rows; row += 1) one += (a[row] as number) * (b[row] as number);
  return one + two + three + four;
}

/** Deviations from the mean; null where a value is missing. */
function centred(values: Float64Array, rows: number, into: Float64Array | undefined): { values: Float64Array; mean: number; m2: number } | null {
  let sum = 0;
  for (let row = 0; row < rows; row += 1) sum += values[row] as number;
  if (sum !== sum || rows === 0) return null;
  const mean = sum / rows;
  const deviations = into && into.length >= rows ? into : new Float64Array(rows);
  let m2 = 0;
  for (let row = 0; row < rows; row += 1) {
    const deviation = (values[row] as number) - mean;
    deviations[row] = deviation;
    m2 += deviation * deviation;
  }
  return { values: deviations, mean, m2 };
}

function addNumbers(column: ColumnSketch | undefined, numbers: Float64Array, classes: Int32Array, rows: number): void {
  let missing = 0;
  for (let row = 0; row < rows; row += 1) if (numbers[row] !== numbers[row]) missing += 1;
  if (missing === 0) {
    column?.addNumbers(numbers, classes, rows, 0);
    return;
  }
  const [values, ofClass] = [new Float64Array(rows - missing), new Int32Array(rows - missing)];
  let count = 0;
  for (let row = 0; row < rows; row += 1) {
    const value = numbers[row] as number;
    if (value !== value) continue;
    values[count] = value;
    ofClass[count] = classes[row] as number;
    count += 1;
  }
  column?.addNumbers(values, ofClass, count, missing);
}

function addTexts(column: ColumnSketch | undefined, { texts, lengths }: Extract<ColumnChunk, { texts: unknown }>, classes: Int32Array, rows: number): void {
  const values: string[] = [];
  const [ofValue, ofClass] = [new Float64Array(rows), new Int32Array(rows)];
  for (let row = 0; row < rows; row += 1) {
    const text = texts[row];
    if (text === null || text === undefined) continue;
    ofValue[values.length] = lengths[row] as number;
    ofClass[values.length] = classes[row] as number;
    values.push(text);
  }
  column?.addTexts(values, ofValue, ofClass, rows - values.length);
}
