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
 * `seed` alone. Sketches that will be merged take different seeds, so that their errors cancel out.
 */
export class QuantileSketch {
  #n = 0;

  #levels: number[][] = [[]];

  readonly #waiting = new Float64Array(EXACT);

  #held = 0;

  readonly #chance: Sampler;

  constructor(seed: number) {
    this.#chance = createSampler(seed);
  }

  static from({ n, levels }: QuantileState, seed: number): QuantileSketch {
    const sketch = new QuantileSketch(seed);
    sketch.#n = n;
    sketch.#levels = levels.length === 0 ? [[]] : levels.map((level) => [...level]);
    return sketch;
  }

  /** Takes in the first `count` values; none may be NaN. */
  add(values: Float64Array, count: number): void {
    for (let index = 0; index < count; index += 1) {
      if (this.#held === EXACT) this.#flush();
      this.#waiting[this.#held] = values[index] as number;
      this.#held += 1;
    }
    this.#n += count;
  }

  merge(other: QuantileSketch): void {
    this.#flush();
    other.#flush();
    other.#levels.forEach((level, height) => {
      const mine = (this.#levels[height] ??= []);
      for (const value of level) mine.push(value);
    });
    this.#n += other.#n;
    this.#compress();
  }

  state(): QuantileState {
    this.#flush();
    return { n: this.#n, levels: this.#levels.map((level) => Array.from(Float64Array.from(level).sort())) };
  }

  #flush(): void {
    if (this.#held === 0) return;
    const [lowest] = this.#levels as [number[], ...number[][]];
    for (let index = 0; index < this.#held; index += 1) lowest.push(this.#waiting[index] as number);
    this.#held = 0;
    this.#compress();
  }

  #compress(): void {
    for (let height = 0; height < this.#levels.length; height += 1) {
      const level = this.#levels[height] as number[];
      if (level.length <= this.#capacity(height)) continue;
      const sorted = Float64Array.from(level).sort();
      const pairs = sorted.length >> 1;
      const above = (this.#levels[height + 1] ??= []);
      const offset = this.#chance.uint32() >>> 31;
      // Of an odd number the last one stays where it is.
      this.#levels[height] = sorted.length % 2 === 1 ? [sorted[sorted.length - 1] as number] : [];
      for (let pair = 0; pair < pairs; pair += 1) above.push(sorted[2 * pair + offset] as number);
    }
  }

  #capacity(height: number): number {
    return this.#levels.length === 1 ? EXACT : Math.max(LEAST, Math.ceil(K * SHRINK ** (this.#levels.length - 1 - height)));
  }
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
