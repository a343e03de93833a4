import type { ColumnState } from '../../contract/data-profile.js';
import type { TypedColumn } from '../../definition/columns.js';
import { toBase64 } from '../base64.js';
import { DistinctSketch } from './distinct-sketch.js';
import { decodeBytes, decodeDoubles, encodeDoubles } from './doubles.js';
import { FrequencySketch } from './frequency-sketch.js';
import { mergeMoments, NO_MOMENTS } from './moments.js';
import type { Moments, Survey } from './moments.js';
import { QuantileSketch } from './quantile-sketch.js';
import type { RowsByClass } from './rows-by-class.js';
import { TextTally } from './text-tally.js';
import type { MarkedTexts } from './text-tally.js';

/** A column of numbers with more different values than this has no counts of them. */
const FEW_NUMBERS = 256;
/** With more classes than this, values are not counted for each of them: there would be more counts than rows. */
const COUNTED_CLASSES = 50;
const countedClasses = (classes: number) => (classes <= COUNTED_CLASSES ? classes : 0);

interface Range { minimum: number; maximum: number }

/** Numbers of some rows, with what is known of them already, and their deviations from their mean. */
export interface Numbers { readonly values: Float64Array; readonly survey: Survey; readonly deviations: Float64Array; readonly byClass: RowsByClass }

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

  add({ values, survey: { moments, minimum, maximum, integers }, deviations, byClass }: Numbers): void {
    const { n: count } = moments;
    this.moments = mergeMoments(this.moments, moments);
    this.range = { minimum: Math.min(this.range.minimum, minimum), maximum: Math.max(this.range.maximum, maximum) };
    this.counts.integers += integers;
    if (minimum <= 0) this.#addSigns(values, count);
    this.quantiles.add(values, count);
    if (this.byClass.length > 0) this.#addByClass(moments, deviations, byClass);
    for (let index = 0; this.few !== null && index < count; index += 1) this.#addFew(values[index] as number, 1);
  }

  #addSigns(values: Float64Array, count: number): void {
    let zeros = 0;
    let negatives = 0;
    for (let index = 0; index < count; index += 1) {
      const value = values[index] as number;
      if (value === 0) zeros += 1;
      else if (value < 0) negatives += 1;
    }
    this.counts.zeros += zeros;
    this.counts.negatives += negatives;
  }

  /** What the sums of a class lose to the distance between its mean and that of all is no more than they lose when classes are put together. */
  #addByClass({ mean }: Moments, deviations: Float64Array, { order, ends }: RowsByClass): void {
    let from = 0;
    for (let at = 0; at < this.byClass.length; at += 1) {
      const to = ends[at] as number;
      const n = to - from;
      let sum = 0;
      let squares = 0;
      for (; from < to; from += 1) {
        const deviation = deviations[order[from] as number] as number;
        sum += deviation;
        squares += deviation * deviation;
      }
      if (n > 0) this.byClass[at] = mergeMoments(this.byClass[at] ?? NO_MOMENTS, { n, mean: mean + sum / n, m2: squares === Infinity ? squares : Math.max(0, squares - sum * (sum / n)) });
    }
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
      quantiles: { n, levels: levels.map(encodeDoubles) }, byClass: [...this.byClass],
    };
  }

  static from(numbers: NonNullable<ColumnState['numbers']>, values: ColumnState['values'], seed: number): NumberSketch {
    const sketch = new NumberSketch(0, seed);
    sketch.moments = numbers.moments;
    sketch.range = { minimum: numbers.minimum ?? Infinity, maximum: numbers.maximum ?? -Infinity };
    sketch.counts = { zeros: numbers.zeros, negatives: numbers.negatives, integers: numbers.integers };
    sketch.quantiles = QuantileSketch.from({ n: numbers.quantiles.n, levels: numbers.quantiles.levels.map(decodeDoubles) }, seed);
    sketch.byClass = [...numbers.byClass];
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

  readonly #tally: TextTally | null;

  /**
   * @param classes of the target; 0 where it has none
   * @param seed another one for every part that will be merged
   * @param held different texts that are counted before they are looked at
   */
  constructor(private readonly column: TypedColumn, classes: number, seed: number, held = 0) {
    const numeric = column.type === 'number' || column.type === 'time';
    this.#numbers = numeric ? new NumberSketch(classes, seed) : null;
    this.#values = numeric ? null : new FrequencySketch(countedClasses(classes));
    this.#tally = numeric ? null : new TextTally(countedClasses(classes), held, (text, length, rows) => { this.#takeText(text, length, rows); });
    this.#texts = column.type === 'text' ? { empty: 0, lengths: NO_MOMENTS, shortest: Infinity, longest: -Infinity } : null;
  }

  /** Numbers (of times, milliseconds) of the rows that have one. */
  addNumbers(numbers: Numbers, missing: number): void {
    const { n } = numbers.survey.moments;
    this.#present += n;
    this.#missing += missing;
    this.#distinct.addNumbers(numbers.values, n);
    this.#numbers?.add(numbers);
  }

  /** Texts, or `true` and `false`. Of a long text its beginning is enough. */
  addTexts(texts: MarkedTexts, classes: Int32Array, rows: number): void {
    const present = this.#tally?.add(texts, classes, rows) ?? 0;
    this.#present += present;
    this.#missing += rows - present;
    if (this.#tally?.full) this.#takeTexts();
  }

  #takeTexts(): void {
    const lengths = this.#tally?.flush() ?? NO_MOMENTS;
    if (this.#texts) this.#texts.lengths = mergeMoments(this.#texts.lengths, lengths);
  }

  #takeText(text: string, length: number, rows: Float64Array): void {
    this.#distinct.addText(text);
    this.#values?.add(shortened(text), rows);
    if (!this.#texts) return;
    if (length === 0) this.#texts.empty += rows.reduce((sum, n) => sum + n, 0);
    if (length < this.#texts.shortest) this.#texts.shortest = length;
    if (length > this.#texts.longest) this.#texts.longest = length;
  }

  merge(other: ColumnSketch): void {
    this.#takeTexts();
    other.#takeTexts();
    this.#present += other.#present;
    this.#missing += other.#missing;
    this.#distinct.merge(other.#distinct);
    if (other.#numbers) this.#numbers?.merge(other.#numbers);
    if (other.#values) this.#values?.merge(other.#values);
    const [mine, theirs] = [this.#texts, other.#texts];
    if (mine && theirs) this.#texts = { empty: mine.empty + theirs.empty, lengths: mergeMoments(mine.lengths, theirs.lengths), shortest: Math.min(mine.shortest, theirs.shortest), longest: Math.max(mine.longest, theirs.longest) };
  }

  state(): ColumnState {
    this.#takeTexts();
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
