/** What a benchmark found. `name` is the figure's in `--json`; `goal` is at most this, `least` at least this, `worst` the worst repetition where `value` is a median. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly value: number;
  readonly unit: 's' | 'ms' | 'rows/s' | 'requests/s' | '×';
  readonly worst?: number;
  readonly goal?: number;
  /** A goal from below: at least this. */
  readonly least?: number;
}

export interface BenchContext {
  /** Aborts when the benchmark's time is up or somebody interrupts it: everything that was started has to end then. */
  readonly signal: AbortSignal;
  /** A line about what happens now. */
  readonly say: (line: string) => void;
}

export interface Benchmark {
  readonly summary: string;
  /** It is ended after this time. */
  readonly limitMinutes: number;
  /** Loads the benchmark: listing the names starts nothing and loads nothing. */
  readonly load: () => Promise<(context: BenchContext) => Promise<readonly Figure[]>>;
}
