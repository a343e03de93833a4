import { createSampler } from '../sampling.js';
import type { Sampler } from '../sampling.js';

/** What is left of any number of values: `levels[h]` are values that stand for 2^h each, in ascending order. Up to {@link EXACT} values, all of them. */
export interface QuantileState { readonly n: number; readonly levels: readonly (readonly number[])[] }

const K = 512;
/** Below this many values nothing is left out. */
export const EXACT = 2 * K;
const SHRINK = 2 / 3;
const LEAST = 8;

/**
 * The rank of any value is right to this share of all values, with 99% confidence: 2.296 / k^0.9723 for one rank, as Apache DataSketches
 * fitted it for the same sketch ("KLL Sketch Accuracy and Size").
 */
export const RANK_ERROR = 2.296 / K ** 0.9723;

/**
 * Quantiles of a stream in about 1,500 numbers, mergeable: Z. Karnin, K. Lang, E. Liberty, "Optimal Quantile Approximation in Streams",
 * FOCS 2016 (arXiv:1603.05346). A full level is sorted and every other value goes up, to stand for two; which half is chance, decided by
 * `seed` alone. Sketches that will be merged take different seeds, so that their errors cancel out. While values stream in, all levels
 * keep as many, which is quicker and no less exact; lower levels shrink when the sketch is stored or merged.
 */
export class QuantileSketch {
  #n = 0;

  /** Each in ascending order. */
  #levels: Float64Array[] = [];

  readonly #waiting = new Float64Array(EXACT);

  readonly #waitingBits = new BigInt64Array(this.#waiting.buffer);

  #held = 0;

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
    for (let from = 0; from < count;) {
      if (this.#held === EXACT) this.#passOn();
      const to = Math.min(count, from + EXACT - this.#held);
      this.#waiting.set(values.subarray(from, to), this.#held);
      this.#held += to - from;
      from = to;
    }
    this.#n += count;
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

  /** Half of what waits goes up at once. */
  #passOn(): void {
    sortDoubles(this.#waiting, this.#waitingBits);
    const up = new Float64Array(K);
    for (let pair = 0, from = this.#chance.uint32() >>> 31; pair < K; pair += 1, from += 2) up[pair] = this.#waiting[from] as number;
    this.#held = 0;
    this.#levels[0] ??= NOTHING;
    this.#levels[1] = merged(this.#levels[1] ?? NOTHING, up);
    this.#compress(() => EXACT - 1);
  }

  /** What waits becomes part of the lowest level. */
  #takeIn(): void {
    if (this.#held === 0) return;
    this.#levels[0] = merged(this.#levels[0] ?? NOTHING, this.#waiting.slice(0, this.#held).sort());
    this.#held = 0;
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

const NOTHING = new Float64Array(0);

/** Sorts doubles, none of them NaN, by their bits as integers, which takes a third less time. Those of negative numbers come out first, the least of them last. */
function sortDoubles(values: Float64Array, bits: BigInt64Array): void {
  bits.sort();
  let negatives = 0;
  while (negatives < values.length && ((values[negatives] as number) < 0 || Object.is(values[negatives], -0))) negatives += 1;
  values.subarray(0, negatives).reverse();
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
