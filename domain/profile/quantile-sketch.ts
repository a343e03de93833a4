import { createSampler } from '../sampling.js';
import type { Sampler } from '../sampling.js';

/** What is left of any number of values: `levels[h]` are values that stand for 2^h each, in ascending order. Up to {@link EXACT} values, all of them. */
export interface QuantileState { readonly n: number; readonly levels: readonly (readonly number[])[] }

const K = 512;
/** Below this many values nothing is left out. */
export const EXACT = 2 * K;
/** So many values are sorted at once, which takes no longer for each of them than of few; one of every eight goes up, three levels. */
const BATCH = 8 * K;
const UP = 3;
const NOTHING = new Float64Array(0);
const SHRINK = 2 / 3;
const LEAST = 8;
/** From so many values on, one of every two is looked at, from twice as many one of four: that adds an eighth of a percent to the rank's error, of half a percent that is stated. */
const SAMPLED_FROM = 2 ** 17;

/**
 * The rank of any value is right to this share of all values, with 99% confidence: 2.296 / k^0.9723 for one rank, as Apache DataSketches
 * fitted it for the same sketch ("KLL Sketch Accuracy and Size").
 */
export const RANK_ERROR = 2.296 / K ** 0.9723;

/**
 * Quantiles of a stream in about 1,500 numbers, mergeable: Z. Karnin, K. Lang, E. Liberty, "Optimal Quantile Approximation in Streams",
 * FOCS 2016 (arXiv:1603.05346). A full level is sorted and every other value goes up, to stand for two; which half is chance, decided by
 * `seed` alone. Sketches that will be merged take different seeds, so that their errors cancel out. What streams in is sorted in batches, of
 * which every eighth value goes up. Meanwhile all levels keep as many, which is quicker and no less exact; lower levels shrink when the sketch is
 * stored or merged. Of a long stream the lowest levels are a sampler, as the paper has them: of each block of values one, by chance, stands for all.
 */
export class QuantileSketch {
  #n = 0;

  /** Each in ascending order. */
  #levels: Float64Array[] = [];

  /** Values that stand for 2^#height each. */
  #waiting = NOTHING;

  #held = 0;

  #height = 0;

  /** The beginning of a block of which one value will be taken. */
  #block: number[] = [];

  readonly #chance: Sampler;

  constructor(seed: number) {
    this.#chance = createSampler(seed);
  }

  static from({ n, levels }: QuantileState, seed: number): QuantileSketch {
    const sketch = new QuantileSketch(seed);
    sketch.#n = n;
    sketch.#levels = levels.map((level) => Float64Array.from(level).sort());
    return sketch;
  }

  /** Takes in the first `count` values; none may be NaN. */
  add(values: Float64Array, count: number): void {
    // One that is only merged needs no place for them.
    if (this.#waiting.length === 0) this.#waiting = new Float64Array(BATCH);
    for (let from = 0; from < count;) {
      if (this.#held === BATCH) this.#passOn();
      const taken = this.#height === 0 ? this.#addAll(values, from, count) : this.#addSampled(values, from, count);
      this.#n += taken;
      from += taken;
    }
  }

  #addAll(values: Float64Array, from: number, count: number): number {
    const to = Math.min(count, from + BATCH - this.#held);
    this.#waiting.set(values.subarray(from, to), this.#held);
    this.#held += to - from;
    return to - from;
  }

  #addSampled(values: Float64Array, from: number, count: number): number {
    const size = 2 ** this.#height;
    let at = from;
    if (this.#block.length > 0 || count - from < size) {
      while (at < count && this.#block.length < size) this.#block.push(values[at++] as number);
      if (this.#block.length === size) {
        this.#waiting[this.#held++] = this.#block[this.#chance.uint32() & (size - 1)] as number;
        this.#block = [];
      }
      return at - from;
    }
    let held = this.#held;
    for (; at + size <= count && held < BATCH; at += size) this.#waiting[held++] = values[at + (this.#chance.uint32() & (size - 1))] as number;
    this.#held = held;
    return at - from;
  }

  merge(other: QuantileSketch): void {
    this.#takeIn();
    other.#takeIn();
    other.#levels.forEach((level, height) => { this.#levels[height] = merged(this.#levels[height] ?? NOTHING, level); });
    this.#n += other.#n;
    this.#compress((height) => this.#capacity(height));
  }

  state(): QuantileState {
    this.#takeIn();
    this.#compress((height) => this.#capacity(height));
    return { n: this.#n, levels: (this.#levels.length === 0 ? [NOTHING] : this.#levels).map((level) => Array.from(level)) };
  }

  /** Where enough have come, larger blocks are sampled from here on. */
  #passOn(): void {
    sortDoubles(this.#waiting);
    const up = new Float64Array(K);
    for (let place = 0, from = this.#chance.uint32() >>> (32 - UP); place < K; place += 1, from += 2 ** UP) up[place] = this.#waiting[from] as number;
    this.#held = 0;
    this.#put(this.#height + UP, up);
    this.#compress(() => EXACT - 1);
    while (this.#n >= SAMPLED_FROM * 2 ** this.#height) this.#height += 1;
  }

  /** What waits becomes part of the levels. */
  #takeIn(): void {
    if (this.#held > 0) this.#put(this.#height, this.#waiting.slice(0, this.#held).sort());
    if (this.#block.length > 0) this.#put(0, Float64Array.from(this.#block).sort());
    this.#held = 0;
    this.#block = [];
  }

  /** Takes in sorted values that stand for 2^height each. */
  #put(height: number, values: Float64Array): void {
    while (this.#levels.length < height) this.#levels.push(NOTHING);
    this.#levels[height] = merged(this.#levels[height] ?? NOTHING, values);
  }

  #compress(capacity: (height: number) => number): void {
    for (let height = 0; height < this.#levels.length; height += 1) {
      const level = this.#levels[height] as Float64Array;
      if (level.length <= capacity(height)) continue;
      const pairs = level.length >> 1;
      const up = new Float64Array(pairs);
      for (let pair = 0, from = this.#chance.uint32() >>> 31; pair < pairs; pair += 1, from += 2) up[pair] = level[from] as number;
      // Of an odd number the last one stays where it is.
      this.#levels[height] = level.slice(2 * pairs);
      this.#levels[height + 1] = merged(this.#levels[height + 1] ?? NOTHING, up);
    }
  }

  #capacity(height: number): number {
    return this.#levels.length === 1 ? EXACT : Math.max(LEAST, Math.ceil(K * SHRINK ** (this.#levels.length - 1 - height)));
  }
}

const scratch = { values: new Float64Array(BATCH), buckets: new Uint16Array(BATCH), starts: new Uint16Array(BATCH + 1) };
/** Steps for each value after which sorting by insertion is given up. */
const STEPS = 16;

/**
 * Sorts {@link BATCH} doubles, none of them NaN: dealt out by their size first, each is then close to its place (K.-D. Neubert, "The Flashsort1 algorithm", 1998).
 * That takes a third of the time of sorting by comparison; values that crowd in a few places are sorted by that.
 */
function sortDoubles(values: Float64Array): void {
  let low = Infinity;
  let high = -Infinity;
  for (let index = 0; index < BATCH; index += 1) {
    const value = values[index] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === high) return;
  const { values: dealt, buckets, starts } = scratch;
  const scale = (BATCH - 1) / (high - low);
  starts.fill(0);
  for (let index = 0; index < BATCH; index += 1) {
    const bucket = ((values[index] as number) - low) * scale | 0;
    buckets[index] = bucket;
    starts[bucket + 1] = (starts[bucket + 1] as number) + 1;
  }
  for (let bucket = 1; bucket < BATCH; bucket += 1) starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
  for (let index = 0; index < BATCH; index += 1) {
    const bucket = buckets[index] as number;
    const place = starts[bucket] as number;
    starts[bucket] = place + 1;
    dealt[place] = values[index] as number;
  }
  let steps = STEPS * BATCH;
  for (let index = 1; index < BATCH && steps >= 0; index += 1) {
    const value = dealt[index] as number;
    let place = index;
    for (; place > 0 && (dealt[place - 1] as number) > value; place -= 1) dealt[place] = dealt[place - 1] as number;
    dealt[place] = value;
    steps -= index - place;
  }
  values.set(steps < 0 ? dealt.sort() : dealt);
}

/** Two ascending runs as one. */
function merged(left: Float64Array, right: Float64Array): Float64Array {
  if (left.length === 0 || right.length === 0) return left.length === 0 ? right : left;
  const both = new Float64Array(left.length + right.length);
  for (let place = 0, a = 0, b = 0; place < both.length; place += 1) {
    if (b === right.length || (a < left.length && (left[a] as number) <= (right[b] as number))) both[place] = left[a++] as number;
    else both[place] = right[b++] as number;
  }
  return both;
}

/** The distribution function of a sketch: `values` ascending and distinct, `below[i]` the share of all values that are at most `values[i]`. */
export interface Distribution { readonly values: Float64Array; readonly below: Float64Array }

export function distributionOf({ levels }: QuantileState): Distribution {
  const weights = new Map<number, number>();
  levels.forEach((level, height) => { for (const value of level) weights.set(value, (weights.get(value) ?? 0) + 2 ** height); });
  const values = Float64Array.from(weights.keys()).sort();
  const below = new Float64Array(values.length);
  let total = 0;
  values.forEach((value, index) => { below[index] = total += weights.get(value) ?? 0; });
  return { values, below: below.map((weight) => weight / total) };
}

/** Share of the values that are at most `value`. */
export function shareUpTo({ values, below }: Distribution, value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : below[low - 1] as number;
}

/**
 * Quantiles at shares 0..1, null without values. Of up to {@link EXACT} values they are exact, on the line between two values (type 7 of
 * Hyndman and Fan, as numpy and pandas have it); of more, values whose rank is right to {@link RANK_ERROR}.
 */
export function quantilesOf(state: QuantileState, shares: readonly number[]): (number | null)[] {
  if (state.n === 0) return shares.map(() => null);
  const [only = []] = state.levels;
  if (state.levels.length === 1) {
    return shares.map((share) => {
      const position = share * (only.length - 1);
      const [low, high] = [only[Math.floor(position)] as number, only[Math.ceil(position)] as number];
      return low === high ? low : low + (high - low) * (position - Math.floor(position));
    });
  }
  const { values, below } = distributionOf(state);
  return shares.map((share) => {
    let [low, high] = [0, values.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((below[middle] as number) >= share) high = middle;
      else low = middle + 1;
    }
    return values[low] as number;
  });
}
