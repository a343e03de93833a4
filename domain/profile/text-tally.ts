import { mergeMoments, NO_MOMENTS } from './moments.js';
import type { Moments } from './moments.js';

/** Texts of some rows, each with a mark that only equal texts have in common; NaN marks a missing one. A text is asked for where its mark is new, not for every row. */
export interface MarkedTexts {
  readonly marks: Float64Array;
  textAt(row: number): string;
  /** In characters. @param text what `textAt` gave */
  lengthAt(row: number, text: string): number;
}

/** Takes a text, and how many rows of each class have it; behind those, of no class. */
export type TakeText = (text: string, length: number, rows: Float64Array) => void;

const AT_FIRST = 64;
/** Characters of different texts that are held. */
const CHARACTERS = 500_000;

/** Counts texts of many rows before they are handed on, each once: most columns have few different ones. */
export class TextTally {
  #marks = new Float64Array(AT_FIRST);

  /** Where a mark is among them, found by its first bits; -1: nowhere. */
  #slots = new Int32Array(4 * AT_FIRST).fill(-1);

  #texts: { text: string; length: number }[] = [];

  #counts: Float64Array;

  #characters = 0;

  readonly #width: number;

  /** @param most different texts that are held; with more, those so far are handed on */
  constructor(private readonly classes: number, private readonly most: number, private readonly take: TakeText) {
    this.#width = classes + 1;
    this.#counts = new Float64Array(AT_FIRST * this.#width);
  }

  /** Gives how many of the rows have a text. */
  add(chunk: MarkedTexts, classes: Int32Array, rows: number): number {
    let present = 0;
    for (let row = 0; row < rows; row += 1) {
      const mark = chunk.marks[row] as number;
      if (mark !== mark) continue;
      present += 1;
      const at = this.#placeOf(mark, chunk, row) * this.#width + this.#classAt(classes[row] as number);
      this.#counts[at] = (this.#counts[at] as number) + 1;
    }
    return present;
  }

  /** Hands on what was counted. Gives the moments of the texts' lengths. */
  flush(): Moments {
    let lengths = NO_MOMENTS;
    this.#texts.forEach(({ text, length }, index) => {
      const counts = this.#counts.subarray(index * this.#width, (index + 1) * this.#width);
      lengths = mergeMoments(lengths, { n: counts.reduce((sum, n) => sum + n, 0), mean: length, m2: 0 });
      this.take(text, length, counts);
    });
    this.#texts = [];
    this.#characters = 0;
    this.#slots.fill(-1);
    this.#counts.fill(0);
    return lengths;
  }

  get full(): boolean {
    return this.#texts.length > this.most || this.#characters > CHARACTERS;
  }

  #classAt(ofRow: number): number {
    return ofRow >= 0 && ofRow < this.classes ? ofRow : this.classes;
  }

  #placeOf(mark: number, chunk: MarkedTexts, row: number): number {
    const last = this.#slots.length - 1;
    let slot = slotOf(mark, last);
    for (let place = this.#slots[slot] as number; place >= 0; place = this.#slots[slot] as number) {
      if (this.#marks[place] === mark) return place;
      slot = (slot + 1) & last;
    }
    const place = this.#texts.length;
    const text = chunk.textAt(row);
    this.#texts.push({ text, length: chunk.lengthAt(row, text) });
    this.#characters += text.length;
    if (place === this.#marks.length) this.#grow();
    this.#marks[place] = mark;
    this.#enter(place);
    return place;
  }

  #enter(place: number): void {
    const last = this.#slots.length - 1;
    let slot = slotOf(this.#marks[place] as number, last);
    while ((this.#slots[slot] as number) >= 0) slot = (slot + 1) & last;
    this.#slots[slot] = place;
  }

  #grow(): void {
    const held = this.#marks.length;
    const [marks, counts] = [new Float64Array(2 * held), new Float64Array(2 * this.#counts.length)];
    marks.set(this.#marks);
    counts.set(this.#counts);
    [this.#marks, this.#counts, this.#slots] = [marks, counts, new Int32Array(2 * this.#slots.length).fill(-1)];
    for (let place = 0; place < held; place += 1) this.#enter(place);
  }
}

/** Marks are whole numbers below 2^53, and their lower bits as much by chance as the others. */
const slotOf = (mark: number, last: number): number => (mark | 0) & last;
