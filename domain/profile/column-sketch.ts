import type { ColumnState } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { toBase64 } from '../base64.js';
import { DistinctSketch } from './distinct-sketch.js';
import { decodeBytes, decodeDoubles, encodeDoubles } from './doubles.js';
import { FrequencySketch } from './frequency-sketch.js';
import { mergeMoments, momentsOf, NO_MOMENTS } from './moments.js';
import type { Moments } from './moments.js';
import { QuantileSketch } from './quantile-sketch.js';

/** A column of numbers with more different values than this has no counts of them. */
const FEW_NUMBERS = 256;
/** With more classes than this, values are not counted for each of them: there would be more counts than rows. */
const COUNTED_CLASSES = 50;
const countedClasses = (classes: number) => (classes <= COUNTED_CLASSES ? classes : 0);

interface Range { minimum: number; maximum: number }

/** What is known of a column's numbers. */
class NumberSketch {
  moments = NO_MOMENTS;

  range: Range = { minimum: Infinity, maximum: -Infinity };

  counts = { zeros: 0, negatives: 0, integers: 0 };

  quantiles: QuantileSketch;

  byClass: Moments[];

  few: Map<number, number> | null = new Map();

  constructor(classes: number, seed: number) {
    this.quantiles = new QuantileSketch(seed);
    this.byClass = new Array<Moments>(classes).fill(NO_MOMENTS);
  }

  add(values: Float64Array, classes: Int32Array, count: number): void {
    this.moments = mergeMoments(this.moments, momentsOf(values, count));
    // One by one, not out of an array: V8 keeps them as doubles then.
    let minimum = this.range.minimum;
    let maximum = this.range.maximum;
    let zeros = 0;
    let negatives = 0;
    let integers = 0;
    for (let index = 0; index < count; index += 1) {
      const value = values[index] as number;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
      if (value === 0) zeros += 1;
      else if (value < 0) negatives += 1;
      if (value === Math.trunc(value)) integers += 1;
    }
    this.range = { minimum, maximum };
    this.counts = { zeros: this.counts.zeros + zeros, negatives: this.counts.negatives + negatives, integers: this.counts.integers + integers };
    this.quantiles.add(values, count);
    if (this.byClass.length > 0) this.#addByClass(values, classes, count);
    for (let index = 0; this.few !== null && index < count; index += 1) this.#addFew(values[index] as number, 1);
  }

  #addByClass(values: Float64Array, classes: Int32Array, count: number): void {
    const size = this.byClass.length;
    const [n, sum, m2] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
    for (let index = 0; index < count; index += 1) {
      const at = classes[index] as number;
      if (at < 0) continue;
      n[at] = (n[at] as number) + 1;
      sum[at] = (sum[at] as number) + (values[index] as number);
    }
    for (let index = 0; index < count; index += 1) {
      const at = classes[index] as number;
      if (at >= 0) m2[at] = (m2[at] as number) + ((values[index] as number) - (sum[at] as number) / (n[at] as number)) ** 2;
    }
    this.byClass = this.byClass.map((before, at) => (n[at] === 0 ? before : mergeMoments(before, { n: n[at] as number, mean: (sum[at] as number) / (n[at] as number), m2: m2[at] as number })));
  }

  #addFew(value: number, times: number): void {
    if (!this.few) return;
    // One key for both zeros, as they are one value.
    this.few.set(value + 0, (this.few.get(value + 0) ?? 0) + times);
    if (this.few.size > FEW_NUMBERS) this.few = null;
  }

  merge(other: NumberSketch): void {
    this.moments = mergeMoments(this.moments, other.moments);
    this.range = { minimum: Math.min(this.range.minimum, other.range.minimum), maximum: Math.max(this.range.maximum, other.range.maximum) };
    this.counts = { zeros: this.counts.zeros + other.counts.zeros, negatives: this.counts.negatives + other.counts.negatives, integers: this.counts.integers + other.counts.integers };
    this.quantiles.merge(other.quantiles);
    this.byClass = this.byClass.map((mine, index) => mergeMoments(mine, other.byClass[index] ?? NO_MOMENTS));
    if (other.few === null) this.few = null;
    else for (const [value, times] of other.few) this.#addFew(value, times);
  }

  state(): NonNullable<ColumnState['numbers']> {
    const { n, levels } = this.quantiles.state();
    const { minimum, maximum } = this.range;
    return {
      moments: this.moments, minimum: n === 0 ? null : minimum, maximum: n === 0 ? null : maximum, ...this.counts,
      quantiles: { n, levels: levels.map(encodeDoubles) }, byClass: this.byClass,
    };
  }

  static from(numbers: NonNullable<ColumnState['numbers']>, values: ColumnState['values'], seed: number): NumberSketch {
    const sketch = new NumberSketch(0, seed);
    sketch.moments = numbers.moments;
    sketch.range = { minimum: numbers.minimum ?? Infinity, maximum: numbers.maximum ?? -Infinity };
    sketch.counts = { zeros: numbers.zeros, negatives: numbers.negatives, integers: numbers.integers };
    sketch.quantiles = QuantileSketch.from({ n: numbers.quantiles.n, levels: numbers.quantiles.levels.map(decodeDoubles) }, seed);
    sketch.byClass = numbers.byClass;
    sketch.few = values === null ? null : new Map(values.counts.map(([value, count]) => [Number(value), count]));
    return sketch;
  }
}

/** The profile of one column while it is made: of parts, one after another, or merged. */
export class ColumnSketch {
  #present = 0;

  #missing = 0;

  #distinct = new DistinctSketch();

  #numbers: NumberSketch | null;

  #values: FrequencySketch | null;

  #texts: { empty: number; lengths: Moments; shortest: number; longest: number } | null;

  /** @param classes of the target; 0 where it has none. @param seed another one for every part that will be merged */
  constructor(private readonly column: TypedColumn, classes: number, seed: number) {
    const numeric = column.type === 'number' || column.type === 'time';
    this.#numbers = numeric ? new NumberSketch(classes, seed) : null;
    this.#values = numeric ? null : new FrequencySketch(countedClasses(classes));
    this.#texts = column.type === 'text' ? { empty: 0, lengths: NO_MOMENTS, shortest: Infinity, longest: -Infinity } : null;
  }

  /** Numbers (of times, milliseconds) of the rows that have one, with these rows' classes. */
  addNumbers(values: Float64Array, classes: Int32Array, count: number, missing: number): void {
    this.#present += count;
    this.#missing += missing;
    this.#distinct.addNumbers(values, count);
    this.#numbers?.add(values, classes, count);
  }

  /** Texts, or `true` and `false`, of the rows that have one; `lengths` in characters. Of a long text its beginning is enough. */
  addTexts(values: readonly string[], lengths: Float64Array, classes: Int32Array, missing: number): void {
    this.#present += values.length;
    this.#missing += missing;
    for (const [index, value] of values.entries()) {
      this.#distinct.addText(value);
      this.#values?.add(shortened(value), classes[index] ?? -1);
    }
    if (!this.#texts) return;
    this.#texts.lengths = mergeMoments(this.#texts.lengths, momentsOf(lengths, values.length));
    for (let index = 0; index < values.length; index += 1) {
      const length = lengths[index] as number;
      if (length === 0) this.#texts.empty += 1;
      if (length < this.#texts.shortest) this.#texts.shortest = length;
      if (length > this.#texts.longest) this.#texts.longest = length;
    }
  }

  merge(other: ColumnSketch): void {
    this.#present += other.#present;
    this.#missing += other.#missing;
    this.#distinct.merge(other.#distinct);
    if (other.#numbers) this.#numbers?.merge(other.#numbers);
    if (other.#values) this.#values?.merge(other.#values);
    const [mine, theirs] = [this.#texts, other.#texts];
    if (mine && theirs) this.#texts = { empty: mine.empty + theirs.empty, lengths: mergeMoments(mine.lengths, theirs.lengths), shortest: Math.min(mine.shortest, theirs.shortest), longest: Math.max(mine.longest, theirs.longest) };
  }

  state(): ColumnState {
    const few = this.#numbers?.few;
    const fewCounts = few ? [...few].sort(([a, n], [b, m]) => m - n || a - b).map(([value, count]): [string, number] => [String(value), count]) : null;
    const texts = this.#texts;
    return {
      ...this.column, present: this.#present, missing: this.#missing, distinct: toBase64(this.#distinct.registers), numbers: this.#numbers?.state() ?? null,
      texts: texts && { empty: texts.empty, lengths: texts.lengths, shortest: texts.lengths.n === 0 ? null : texts.shortest, longest: texts.lengths.n === 0 ? null : texts.longest },
      values: this.#values ? plain(this.#values) : fewCounts && { counts: fewCounts, byClass: null, error: 0 },
    };
  }

  static from(state: ColumnState, classes: number, seed: number): ColumnSketch {
    const { name, type, nullable, texts } = state;
    const sketch = new ColumnSketch({ name, type, nullable }, classes, seed);
    sketch.#present = state.present;
    sketch.#missing = state.missing;
    sketch.#distinct = new DistinctSketch(decodeBytes(state.distinct));
    if (state.numbers) sketch.#numbers = NumberSketch.from(state.numbers, state.values, seed);
    else if (state.values) sketch.#values = FrequencySketch.from(state.values, countedClasses(classes));
    if (texts) sketch.#texts = { empty: texts.empty, lengths: texts.lengths, shortest: texts.shortest ?? Infinity, longest: texts.longest ?? -Infinity };
    return sketch;
  }
}

function plain(values: FrequencySketch): NonNullable<ColumnState['values']> {
  const { counts, byClass, error } = values.state();
  return { counts: counts.map(([value, count]): [string, number] => [value, count]), byClass: byClass?.map((row) => [...row]) ?? null, error };
}

/** Characters of a text that is counted as a value. */
const SHOWN = 100;

function shortened(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
