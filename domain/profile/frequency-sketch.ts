/**
 * Counts of the most frequent values: each is at most `error` too small, and a value that is not there occurs at most `error` times. With
 * `error` 0 the counts are of all values, and `byClass` says how many rows of each class have them.
 */
export interface FrequencyState {
  readonly counts: readonly (readonly [value: string, count: number])[];
  readonly byClass: readonly (readonly number[])[] | null;
  readonly error: number;
}

const KEPT = 500;

/**
 * Frequent values of a stream, mergeable: J. Misra and D. Gries, "Finding repeated elements" (1982), in the form of P. Agarwal et al.,
 * "Mergeable Summaries" (PODS 2012, theorem 1), equivalent to Space-Saving: no count is off by more than n / 501.
 */
export class FrequencySketch {
  #counts = new Map<string, number>();

  #byClass: Map<string, number[]> | null;

  #error = 0;

  constructor(private readonly classes: number) {
    this.#byClass = classes > 0 ? new Map() : null;
  }

  static from({ counts, byClass, error }: FrequencyState, classes: number): FrequencySketch {
    const sketch = new FrequencySketch(classes);
    sketch.#counts = new Map(counts);
    sketch.#byClass = byClass === null ? null : new Map(counts.map(([value], index) => [value, [...byClass[index] ?? []]]));
    sketch.#error = error;
    return sketch;
  }

  /** @param rows that have it, of each class; behind them, of no class */
  add(value: string, rows: Float64Array): void {
    const count = this.#counts.get(value);
    this.#counts.set(value, (count ?? 0) + rows.reduce((sum, n) => sum + n, 0));
    const before = this.#byClass?.get(value);
    this.#byClass?.set(value, Array.from({ length: this.classes }, (_, index) => (before?.[index] ?? 0) + (rows[index] ?? 0)));
    if (count === undefined && this.#counts.size > 2 * KEPT) this.#prune();
  }

  merge(other: FrequencySketch): void {
    const [mine, theirs] = [this.#byClass, other.#byClass];
    for (const [value, count] of other.#counts) {
      this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
      if (mine && theirs) mine.set(value, (mine.get(value) ?? new Array<number>(this.classes).fill(0)).map((n, index) => n + (theirs.get(value)?.[index] ?? 0)));
    }
    this.#error += other.#error;
    if (!theirs) this.#byClass = null;
    if (this.#counts.size > 2 * KEPT) this.#prune();
  }

  /** Takes the count of the 501st off every one, and leaves out what has none left. */
  #prune(): void {
    const taken = [...this.#counts.values()].sort((a, b) => b - a)[KEPT] ?? 0;
    for (const [value, count] of this.#counts) {
      if (count > taken) this.#counts.set(value, count - taken);
      else this.#counts.delete(value);
    }
    this.#error += taken;
    this.#byClass = null;
  }

  /** Most frequent first; of equal ones, in the order of their text. */
  state(): FrequencyState {
    const counts = [...this.#counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const byClass = this.#byClass;
    return { counts, byClass: byClass === null ? null : counts.map(([value]) => byClass.get(value) ?? []), error: this.#error };
  }
}
