import type { GoldenInput, GoldenPredictions } from '../../contract/package.js';
import { goldenRows } from './golden.js';

interface Kept { readonly key: string; readonly value: number; readonly input: GoldenInput }

/** Collects golden predictions of a regression: the first rows by key. */
export class GoldenValues {
  readonly #rows: number;
  readonly #kept: Kept[] = [];

  /** `width`: raw numbers in a row. */
  constructor(width: number) {
    this.#rows = goldenRows(width);
  }

  offer(key: string, value: number, input: () => GoldenInput): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length >= this.#rows && last && key >= last.key) return;
    this.#kept.push({ key, value, input: input() });
    this.#kept.sort((a, b) => (a.key < b.key ? -1 : 1));
    if (this.#kept.length > this.#rows) this.#kept.pop();
  }

  finish(): GoldenPredictions {
    return { v: 1, rows: this.#kept.map(({ key, value, input }) => ({ key, input, value })) };
  }
}
