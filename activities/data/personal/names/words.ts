/** A word: letters with their marks, an apostrophe among them. */
const WORD = String.raw`\p{L}[\p{L}\p{M}'’ʻʼ\u0060]*`;
const SINGLE = new RegExp(WORD, 'gu');
const JOINED = new RegExp(`${WORD}(?:[-‐–]${WORD})*`, 'gu');
const LETTERS: Readonly<Record<string, string>> = { ı: 'i', ł: 'l', ø: 'o', đ: 'd', ß: 'ss', æ: 'ae', œ: 'oe', ð: 'd', þ: 'th' };

/** The words of a text, each part of a compound by itself. */
export const partsOf = (text: string): readonly string[] => text.match(SINGLE) ?? [];

/** The words of a text with where they begin, a compound being one. */
export const wordsOf = (text: string): readonly { readonly text: string; readonly at: number }[] => Array.from(text.matchAll(JOINED), (match) => ({ text: match[0], at: match.index }));

/** In small letters, without apostrophes. */
export const plain = (word: string): string => word.toLowerCase().normalize('NFC').replaceAll('i̇', 'i').replaceAll(/['’ʻʼ`]/g, '').replaceAll('ё', 'е');

/** And without accents: lists and data write them, or not. Marks of other scripts than the Latin, Greek and Cyrillic stay. */
export function folded(word: string): string {
  const text = plain(word);
  return /^[a-z-]*$/.test(text) ? text : text.normalize('NFD').replaceAll(/[\u0300-\u036F]/g, '').normalize('NFC').replaceAll(/[ıłøđßæœðþ]/g, (letter) => LETTERS[letter] ?? letter);
}
