import type { TrainingProfile } from '../../contract/profile.js';

const SAMPLE_ROWS = 10_000;
const SAMPLE_VALUES = 4_000_000;
const QUANTILES = Array.from({ length: 21 }, (_, index) => index / 20);

export interface Moment { readonly mean: number; readonly standardDeviation: number; readonly minimum: number; readonly maximum: number }

/**
 * Mean, population standard deviation, range and an even sample of each feature, in one pass over any number of rows; NaN stands for a
 * missing value and counts nowhere
 * (Welford, "Note on a method for calculating corrected sums of squares and products", 1962).
 */
export class Moments {
  #rows = 0;
  readonly #counts: Uint32Array;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  readonly #minimum: Float64Array;
  readonly #maximum: Float64Array;
  readonly #every: number;
  readonly #sample: Float32Array;
  #sampled = 0;

  constructor(private readonly features: number, expectedRows: number) {
    this.#counts = new Uint32Array(features);
    this.#mean = new Float64Array(features);
    this.#squares = new Float64Array(features);
    this.#minimum = new Float64Array(features).fill(Infinity);
    this.#maximum = new Float64Array(features).fill(-Infinity);
    const sampleRows = Math.max(1, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_VALUES / features), expectedRows));
    this.#every = Math.max(1, Math.ceil(expectedRows / sampleRows));
    this.#sample = new Float32Array(sampleRows * features);
  }

  get rows(): number { return this.#rows; }

  /** Takes in `rows` rows of `values`, one row after another. */
  add(values: Float32Array, rows: number): void {
    const { features } = this;
    for (let row = 0; row < rows; row += 1) {
      const base = row * features;
      if (this.#rows % this.#every === 0 && this.#sampled < this.#sample.length / features) {
        this.#sample.set(values.subarray(base, base + features), this.#sampled * features);
        this.#sampled += 1;
      }
      this.#rows += 1;
      for (let feature = 0; feature < features; feature += 1) {
        const value = values[base + feature] ?? NaN;
        if (Number.isNaN(value)) continue;
        const count = (this.#counts[feature] ?? 0) + 1;
        this.#counts[feature] = count;
        const mean = this.#mean[feature] ?? 0;
        const delta = value - mean;
        const moved = mean + delta / count;
        this.#mean[feature] = moved;
        this.#squares[feature] = (this.#squares[feature] ?? 0) + delta * (value - moved);
        if (value < (this.#minimum[feature] ?? 0)) this.#minimum[feature] = value;
        if (value > (this.#maximum[feature] ?? 0)) this.#maximum[feature] = value;
      }
    }
  }

  of(feature: number): Moment {
    const count = this.#counts[feature] ?? 0;
    return {
      mean: this.#mean[feature] ?? 0, standardDeviation: count === 0 ? 0 : Math.sqrt((this.#squares[feature] ?? 0) / count),
      minimum: count === 0 ? 0 : this.#minimum[feature] ?? 0, maximum: count === 0 ? 0 : this.#maximum[feature] ?? 0,
    };
  }

  /** The even sample, one row after another. */
  sample(): Float32Array { return this.#sample.subarray(0, this.#sampled * this.features); }

  profile(names: readonly string[]): TrainingProfile['features'] {
    return names.map((name, feature) => {
      const sorted = Float32Array.from({ length: this.#sampled }, (_, row) => this.#sample[row * this.features + feature] ?? NaN).filter((value) => !Number.isNaN(value)).sort();
      return { name, ...this.of(feature), quantiles: QUANTILES.map((share) => sorted[Math.round(share * Math.max(0, sorted.length - 1))] ?? 0) };
    });
  }
}
