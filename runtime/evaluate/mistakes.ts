import type { Mistake } from '../../contract/evaluation.js';

const KEPT = 24;

/** Keeps the worst rows by their badness; of equal ones, the first by key. */
export class WorstMistakes {
  readonly #kept: { readonly badness: number; readonly mistake: Mistake }[] = [];

  /** `describe` is called for rows that are kept (for now) only: a picture is encoded for few. */
  offer(key: string, badness: number, describe: () => Mistake): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length >= KEPT && last && (badness < last.badness || (badness === last.badness && key >= last.mistake.key))) return;
    this.#kept.push({ badness, mistake: describe() });
    this.#kept.sort((a, b) => b.badness - a.badness || (a.mistake.key < b.mistake.key ? -1 : 1));
    if (this.#kept.length > KEPT) this.#kept.pop();
  }

  finish(): Mistake[] { return this.#kept.map(({ mistake }) => mistake); }
}
