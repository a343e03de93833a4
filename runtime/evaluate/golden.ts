import type { GoldenInput, GoldenPredictions } from '../../contract/package.js';

/** A predicted row that may become golden. */
export interface GoldenCandidate { readonly key: string; readonly actual: number; readonly probabilities: Float32Array; readonly input: () => GoldenInput }

const GOLDEN_ROWS = 32;
/** Large pictures give fewer rows, so that `golden.json` stays a file that is read in a moment. */
const GOLDEN_VALUES = 12_000_000;
/** Two classes nearer than this could swap places on a machine that rounds otherwise. */
const MINIMUM_MARGIN = 1e-3;

/** How many golden rows a package has, where a row has so many raw numbers. */
export function goldenRows(width: number): number {
  return Math.max(4, Math.min(GOLDEN_ROWS, Math.floor(GOLDEN_VALUES / width)));
}

/**
 * Collects golden predictions: the first 32 rows by key, spread evenly over the actual classes. A row without a clear winner is
 * passed over, since its class has to be the same on every machine.
 */
export class GoldenCollector {
  readonly #byClass: { readonly key: string; readonly row: GoldenPredictions['rows'][number] }[][];

  readonly #rows: number;

  /** `width`: raw numbers in a row. */
  constructor(private readonly classes: readonly string[], width: number) {
    this.#byClass = classes.map(() => []);
    this.#rows = goldenRows(width);
  }

  offer({ key, actual, probabilities, input }: GoldenCandidate): void {
    const [first = 0, second = 0] = [...probabilities].sort((a, b) => b - a);
    const kept = this.#byClass[actual];
    const last = kept?.at(-1);
    if (!kept || first - second < MINIMUM_MARGIN || (kept.length >= this.#rows && last && key >= last.key)) return;
    const best = probabilities.indexOf(first);
    kept.push({ key, row: { key, input: input(), probabilities: [...probabilities], class: this.classes[best] ?? '' } });
    kept.sort((a, b) => (a.key < b.key ? -1 : 1));
    if (kept.length > this.#rows) kept.pop();
  }

  finish(): GoldenPredictions {
    const rows: GoldenPredictions['rows'] = [];
    for (let turn = 0; turn < this.#rows && rows.length < this.#rows; turn += 1) {
      for (const kept of this.#byClass) {
        const next = kept[turn];
        if (next && rows.length < this.#rows) rows.push(next.row);
      }
    }
    return { v: 1, rows: rows.sort((a, b) => (a.key < b.key ? -1 : 1)) };
  }
}
