import type { NameLists } from './lists.js';
import { folded, plain, wordsOf } from './words.js';

/** What a text holds: it is a full name, mentions one, or is a first or last name alone. */
export type NameIn = 'whole' | 'mentioned' | 'single' | null;

const WHOLE_CHARACTERS = 60;
const WHOLE_WORDS = { least: 2, most: 6 };
/** What is not in names, whoever wrote them down. Brackets and inverted commas are: a born name, a nickname. */
const NEVER_IN_NAMES = /[0-9@/_&:;!?=<>#*+|]/;
const UNDIVIDED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{2,6}$/u;
const VIETNAMESE = /[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/iu;
/** A street and its house: named for somebody, who lives elsewhere. */
const HOUSE = /^,? ?(?:\p{L}{1,3}[.º°]? ?)?[0-9]/u;
/** Short words are too often an abbreviation to be a name in a sentence. */
const MENTIONED_LETTERS = 3;

const STARTS_SMALL = /^\p{Ll}/u;

const isIn = (names: ReadonlySet<string>, word: string) => names.has(word) || (word.includes('-') && word.split('-').every((part) => names.has(part)));
const caseOf = (word: string) => (/^\p{Lu}.*\p{Ll}/u.test(word) ? 'title' : /\p{Ll}/u.test(word) ? 'small' : 'capital');

/**
 * Tells by lists of names and of other words whether a text holds a person's full name. Of a single text that is a guess: it takes a column's share to tell.
 * Two parts that are known as names make one, and so does a first name beside a word that nobody knows.
 */
export function nameIn(text: string, lists: NameLists): NameIn {
  const trimmed = text.trim();
  const together = trimmed.replaceAll(/[\s,・]/g, '');
  if (UNDIVIDED.test(together)) return isUndividedName(together, lists) ? 'whole' : null;
  const words = wordsOf(trimmed);
  const [only] = words;
  if (words.length === 1 && only?.text.length === trimmed.length) return isSingleName(folded(trimmed), lists) ? 'single' : null;
  if (trimmed.length <= WHOLE_CHARACTERS && !NEVER_IN_NAMES.test(trimmed) && words.length >= WHOLE_WORDS.least && words.length <= WHOLE_WORDS.most && isFullName(trimmed, words.map((word) => word.text), lists)) return 'whole';
  return words.length > 3 && mentionsName(trimmed, words, lists) ? 'mentioned' : null;
}

function isUndividedName(text: string, { undivided }: NameLists): boolean {
  return undivided.some(({ spaced, first, last }) => !spaced && Array.from({ length: text.length - 1 }, (_, at) => at + 1).some((at) => last.has(text.slice(0, at)) && first.has(text.slice(at))));
}

/** A family's name, then or before it given names: syllables that are words of their own everywhere else. */
function isVietnameseName(words: readonly string[], { undivided }: NameLists): boolean {
  return words.length <= 4 && undivided.some(({ spaced, first, last }) => {
    const parts = words.map(plain);
    return spaced && parts.every((part) => first.has(part) || last.has(part)) && [parts[0], parts.at(-1)].some((part) => part !== undefined && last.has(part));
  });
}

function isSingleName(word: string, { first, last, words }: NameLists): boolean {
  return word.length > 1 && !words.has(word) && (isIn(first, word) || isIn(last, word));
}

function isFullName(text: string, written: readonly string[], lists: NameLists): boolean {
  const { first, last, words, places, particles } = lists;
  if (VIETNAMESE.test(text) && isVietnameseName(written, lists)) return true;
  const parts = written.map((word) => ({ word: folded(word), cased: caseOf(word) })).filter(({ word }) => !particles.has(word));
  // "A noble failure" begins with a capital; a name has one in each of its words, or in none.
  const small = parts.filter(({ cased }) => cased === 'small').length;
  const named = parts.filter(({ word }) => word.length > 1);
  if (named.length < 2 || (small > 0 && small < parts.length) || named.some(({ word }) => places.has(word) || (words.has(word) && !first.has(word) && !last.has(word)))) return false;
  const telling = named.filter(({ word }) => !words.has(word));
  const at = telling.findIndex(({ word }) => isIn(first, word));
  if (at < 0) return false;
  const others = telling.filter((_, index) => index !== at);
  return others.some(({ word }) => isIn(first, word) || isIn(last, word)) || (others.length > 0 && named.every(({ cased }) => cased === named[0]?.cased));
}

/** A first name, then a last one, or a word with a capital that nobody knows, that belong to no address and no company. */
function mentionsName(text: string, written: ReturnType<typeof wordsOf>, { first, last, words, places, particles }: NameLists): boolean {
  const named = written.filter((word) => word.text.length > 1);
  return named.some((given, index) => {
    const family = named[index + 1];
    // Most words are in small letters: what costs more is asked of the others.
    if (!family || STARTS_SMALL.test(given.text) || STARTS_SMALL.test(family.text) || !/^ (?:\p{Lu}\. )?$/u.test(text.slice(given.at + given.text.length, family.at))) return false;
    const [one, other] = [folded(given.text), folded(family.text)];
    if ([one, other].some((word) => word.length < MENTIONED_LETTERS || words.has(word) || particles.has(word)) || !isIn(first, one)) return false;
    if (!isIn(last, other) && (isIn(first, other) || caseOf(given.text) !== 'title' || caseOf(family.text) !== 'title')) return false;
    if (HOUSE.test(text.slice(family.at + family.text.length))) return false;
    const before = named.slice(0, index).map((word) => folded(word.text)).findLast((word) => !particles.has(word));
    const after = named[index + 2];
    return !(before !== undefined && places.has(before) && before.length > 3) && !(after && places.has(folded(after.text)) && after.text.length > 3);
  });
}
