import { allLocales } from '@faker-js/faker';
import { folded, partsOf, plain } from './words.js';

/** What is known of names, and of words that are none. Words are folded, but for those of `undivided`. */
export interface NameLists {
  readonly first: ReadonlySet<string>;
  readonly last: ReadonlySet<string>;
  /** Words of other meanings. One that is a name as well says nothing about a text. */
  readonly words: ReadonlySet<string>;
  /** Words of addresses, companies and titles of places. */
  readonly places: ReadonlySet<string>;
  /** What stands in a full name beside names. */
  readonly particles: ReadonlySet<string>;
  /** Of languages that write a family's name first, in words so short that each is a word of others, too: only together they are a name. */
  readonly undivided: readonly { readonly spaced: boolean; readonly first: ReadonlySet<string>; readonly last: ReadonlySet<string> }[];
}

const FAMILY_FIRST: Readonly<Record<string, { spaced: boolean }>> = { ja: { spaced: false }, ko: { spaced: false }, vi: { spaced: true }, zh_CN: { spaced: false }, zh_TW: { spaced: false } };

/** By section of the library's lists: which of its entries, or all of them, are words of other meanings. */
const MEANINGS: Readonly<Record<string, readonly string[] | null>> = {
  word: null, date: null, science: null, color: ['human'], commerce: ['department', 'product_name'], vehicle: ['manufacturer', 'type', 'fuel'], music: ['genre'], animal: ['type'], team: ['creature'],
  company: ['legal_entity_type', 'adjective', 'noun', 'descriptor', 'buzz_noun', 'buzz_adjective', 'buzz_verb', 'category', 'prefix', 'suffix'],
  person: ['job_type', 'job_area', 'job_descriptor', 'job_title', 'sex', 'gender', 'western_zodiac_sign', 'bio_part', 'bio_parts'],
  food: ['fruit', 'vegetable', 'spice', 'meat', 'adjective', 'ethnic_category', 'ingredient'],
};
const WHOLE_PLACES = ['city_name', 'state', 'country', 'county', 'continent', 'direction', 'language'];
const PARTS_OF_PLACES = ['street_suffix', 'street_prefix', 'common_street_suffix', 'city_suffix', 'city_prefix'];
const STREETS = ['street_suffix', 'street_prefix', 'common_street_suffix'];

const PLACES = 'saint st san santa santo são sao sankt sainte ste north south east west new old upper lower great little grand port lake mount mt fort bay city island river beach hill hills valley springs rue avenue boulevard calle avenida rua via viale piazza street road ave blvd rd highway drive plaza church school college university hospital hotel park airport station stadium museum team club inc ltd llc gmbh co corp group sons brothers company the of and or in on at for a an';
const WORDS = 'will may mark hope grace rose jordan virginia chelsea i you he she it we they my your his her this that not but with from all no yes so if as is are was be to';
const PARTICLES = 'de da do dos das di del della der den van von zu la le el al bin ben bint ibn y e und af ter ten op mr mrs ms miss dr prof sir master rev col capt major mme mlle herr frau sr sra jr ii iii md mac nic ni ui';

/** A first name of so many languages is one, whatever a word or a town of the same letters is. */
const LANGUAGES = 5;

type Section = Readonly<Record<string, unknown>>;

/** Every text in `value`, patterns with places to fill in left out. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (!/[{}]/.test(value)) yield value;
  } else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) yield* textsIn(item);
}

/** Reads the lists of all languages that the library has: about half a second of processor time and 60 MB. */
export function readNameLists(): NameLists {
  const lists = { first: new Set<string>(), last: new Set<string>(), words: new Set<string>(), places: new Set<string>() };
  const undivided: { spaced: boolean; first: Set<string>; last: Set<string> }[] = [];
  const languagesOf = new Map<string, Set<string>>();
  for (const [locale, sections] of Object.entries(allLocales as unknown as Readonly<Record<string, Readonly<Record<string, Section | undefined>>>>)) {
    const { person = {}, location = {} } = sections;
    const family = FAMILY_FIRST[locale];
    const own = family ? { ...family, first: new Set<string>(), last: new Set<string>() } : null;
    if (own) undivided.push(own);
    for (const [entry, kind] of [['first_name', 'first'], ['middle_name', 'first'], ['last_name', 'last']] as const) {
      for (const text of textsIn(person[entry])) {
        for (const part of partsOf(text)) {
          if (own) own[kind].add(plain(part));
          else if (part.length > 1) {
            const name = folded(part);
            lists[kind].add(name);
            if (kind === 'first') languagesOf.set(name, (languagesOf.get(name) ?? new Set()).add(locale.split('_')[0] ?? locale));
          }
        }
      }
    }
    for (const entry of WHOLE_PLACES) for (const text of textsIn(location[entry])) if (!/[\s-]/.test(text.trim())) lists.words.add(folded(text));
    for (const entry of PARTS_OF_PLACES) for (const text of textsIn(location[entry])) for (const part of partsOf(text)) lists.words.add(folded(part));
    for (const entry of STREETS) for (const text of textsIn(location[entry])) for (const part of partsOf(text)) lists.places.add(folded(part));
    for (const [section, entries] of Object.entries(MEANINGS)) {
      for (const [entry, value] of Object.entries(sections[section] ?? {})) {
        if (entries === null || entries.includes(entry)) for (const text of textsIn(value)) for (const part of partsOf(text)) lists.words.add(folded(part));
      }
    }
  }
  for (const [name, { size }] of languagesOf) if (size >= LANGUAGES) lists.words.delete(name);
  // Streets are named for people: of their lists only what is no name stays.
  for (const place of [...lists.places]) if (lists.first.has(place) || lists.last.has(place)) lists.places.delete(place);
  for (const place of PLACES.split(' ')) lists.places.add(folded(place));
  for (const word of [...WORDS.split(' '), ...lists.places]) lists.words.add(word);
  return { ...lists, particles: new Set(PARTICLES.split(' ')), undivided };
}
