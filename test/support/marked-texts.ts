import type { MarkedTexts } from '../../domain/profile/text-tally.js';

const marks = new Map<string, number>();

/** Texts as a profile takes them in; null is a missing one. */
export function markedTexts(texts: readonly (string | null)[]): MarkedTexts {
  const markOf = (text: string) => { if (!marks.has(text)) marks.set(text, marks.size * 7_919); return marks.get(text) ?? NaN; };
  return { marks: Float64Array.from(texts, (text) => (text === null ? NaN : markOf(text))), textAt: (row) => texts[row] ?? '', lengthAt: (row) => texts[row]?.length ?? 0 };
}
