/** Weight of what was learned before, after each measurement: about the last 50 batches count. */
const KEPT = 0.98;
/** Sizes that a runner has warmed up with; larger ones are tried by doubling. */
export const WARM_ROWS = 32;
/** An expectation that nothing has confirmed for this long no longer refuses anybody. */
const FRESH_MS = 1_000;

/**
 * How long a version computes a batch as a function of its rows, learned from the batches it computes: `fixedMs + perRowMs × rows`
 * by least squares, older batches forgotten exponentially, and the mean absolute error added, so that it promises rather too little.
 */
export class LearnedLatency {
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;
  #errorMs = 0;
  #largest = WARM_ROWS;
  #measuredAt = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A batch of `rows` took `ms` to compute, its time behind other batches not counted. */
  observe(rows: number, ms: number): void {
    if (this.#weight > 0) this.#errorMs = KEPT * this.#errorMs + (1 - KEPT) * Math.abs(ms - this.#line(rows));
    this.#weight = KEPT * this.#weight + 1;
    this.#rows = KEPT * this.#rows + rows;
    this.#ms = KEPT * this.#ms + ms;
    this.#rowsRows = KEPT * this.#rowsRows + rows * rows;
    this.#rowsMs = KEPT * this.#rowsMs + rows * ms;
    this.#largest = Math.max(this.#largest, rows);
    this.#measuredAt = this.now();
  }

  /** Milliseconds that a batch of `rows` is expected to take; 0 while nothing has been measured. */
  expectedMs(rows: number): number {
    return this.#weight === 0 || rows === 0 ? 0 : this.#line(rows) + this.#errorMs;
  }

  /** Whether the expectation is good enough to refuse a request by: recent, and of batches that differed in their size. */
  get isSound(): boolean { return this.#differ && this.now() - this.#measuredAt < FRESH_MS; }

  /** Most rows that are expected to take at most `ms`, at least 1: never more than twice of what has been tried. */
  rowsWithin(ms: number): number {
    const tried = 2 * this.#largest;
    if (this.#weight === 0) return WARM_ROWS;
    const { fixedMs, perRowMs } = this.#coefficients();
    const fitting = perRowMs > 0 ? Math.floor((ms - fixedMs - this.#errorMs) / perRowMs) : tried;
    return Math.max(1, Math.min(tried, fitting));
  }

  #line(rows: number): number {
    const { fixedMs, perRowMs } = this.#coefficients();
    return fixedMs + perRowMs * rows;
  }

  get #spread(): number { return this.#weight * this.#rowsRows - this.#rows ** 2; }
  get #differ(): boolean { return this.#spread > 1e-6 * this.#rows ** 2; }

  /** Neither may be negative; where all batches were of one size, everything is taken to be the rows' cost, which expects too much of larger ones. */
  #coefficients(): { fixedMs: number; perRowMs: number } {
    const perRowMs = this.#differ ? (this.#weight * this.#rowsMs - this.#rows * this.#ms) / this.#spread : Infinity;
    const fixedMs = (this.#ms - perRowMs * this.#rows) / this.#weight;
    if (fixedMs >= 0 && perRowMs >= 0) return { fixedMs, perRowMs };
    return perRowMs < 0 ? { fixedMs: this.#ms / this.#weight, perRowMs: 0 } : { fixedMs: 0, perRowMs: this.#ms / this.#rows };
  }
}
