import type { Mistake } from '../../contract/evaluation.js';

const KEPT = 24;

/** Keeps the rows that were most confidently wrong; of equal ones, the first by key. */
export class WorstMistakes {
  readonly #kept: Mistake[] = [];

  offer(mistake: Omit<Mistake, 'png'>, png: () => string | undefined): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length >= KEPT && last && compare(mistake, last) >= 0) return;
    const picture = png();
    this.#kept.push({ ...mistake, ...(picture === undefined ? {} : { png: picture }) });
    this.#kept.sort(compare);
    if (this.#kept.length > KEPT) this.#kept.pop();
  }

  finish(): Mistake[] { return [...this.#kept]; }
}

function compare(a: Omit<Mistake, 'png'>, b: Omit<Mistake, 'png'>): number {
  return b.probability - a.probability || (a.key < b.key ? -1 : 1);
}
