import validator from 'validator';

/** A kind of personal data: what it looks like inside a text, and whether a part that looks so is one. */
interface Kind {
  readonly name: string;
  /** Stands for it in a text that it was taken out of. */
  readonly tag: string;
  /** Every part of a text that may be one; flagged `g`. */
  readonly looks: RegExp;
  readonly is: (part: string) => boolean;
  /** Of the parts that look like one, so large a share has to be one: other numbers pass a check digit by chance. */
  readonly least: number;
}

const digits = (part: string) => part.replaceAll(/[^0-9]/g, '');
/** Identity cards whose numbers have check digits or letters that few others meet. */
const IDENTITY_CARDS = ['ES', 'FI', 'NO', 'PL', 'zh-CN'] as const;
/** A country's code, then digits: E.164 has 15 at most. */
const PHONE_DIGITS = { least: 8, most: 15 };

/**
 * Mail, IBAN (length and modulus 97 of its country), card (issuer's prefix and Luhn's check digit), IP address and national numbers
 * are checked by the library validator; phone numbers are those written with a country's code.
 */
export const KINDS: readonly Kind[] = [
  { name: 'mail address', tag: 'mail', looks: /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/g, is: (part) => validator.isEmail(part), least: 0 },
  { name: 'IBAN', tag: 'iban', looks: /\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b/g, is: (part) => startsWithIban(part.replaceAll(' ', '')), least: 0 },
  { name: 'card number', tag: 'card', looks: /(?<![0-9A-Za-z+.-])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])/g, is: (part) => validator.isCreditCard(digits(part)), least: 0.2 },
  { name: 'phone number', tag: 'phone', looks: /(?<![0-9A-Za-z])(?:\+|00)[1-9](?:[ ()/.-]{0,2}[0-9]){7,16}(?![0-9A-Za-z])/g, is: isPhone, least: 0 },
  { name: 'IP address', tag: 'ip', looks: /(?<![0-9A-Za-z.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\.?[0-9A-Za-z])|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![0-9A-Za-z.:]))/g, is: isAddress, least: 0 },
  { name: 'national number', tag: 'id', looks: /(?<![0-9A-Za-z.+-])(?:[0-9]{6}[-+A][0-9]{3}[0-9A-Z]|[0-9XYZ][0-9]{7}[- ]?[A-Z]|[0-9]{11}|[0-9]{17}[0-9X])(?![0-9A-Za-z])/g, is: (part) => IDENTITY_CARDS.some((country) => validator.isIdentityCard(part.replaceAll(' ', ''), country)), least: 0.2 },
];

/** A text that none of these patterns matches holds nothing: SQL leaves it out, in RE2's syntax. */
export const CANDIDATE = '@|[0-9]{7}|[0-9](?:[ ()/.-]{1,2}[0-9]+){2}|[A-Z]{2}[0-9]{2}|:[0-9A-Fa-f]*:|[0-9]{6}[-+A]';

/** Behind an IBAN in capitals more of them may follow: it ends where its country's length says. */
function startsWithIban(part: string): boolean {
  for (let length = part.length; length >= 15; length -= 1) if (validator.isIBAN(part.slice(0, length))) return true;
  return false;
}

function isPhone(part: string): boolean {
  const { length } = digits(part.replace(/^00/, ''));
  return length >= PHONE_DIGITS.least && length <= PHONE_DIGITS.most;
}

/** Addresses that name no machine of anybody, such as 0.0.0.0 or ::1, and versions such as 1.2.3.4 with small parts, are none. */
function isAddress(part: string): boolean {
  if (part.includes(':')) return validator.isIP(part, 6) && part.replaceAll(/[:0]/g, '').length > 1;
  return validator.isIP(part, 4) && part.split('.').some((byte) => Number(byte) > 20);
}

/** Counts, for one column, the values that hold each kind. */
export class PersonalCounts {
  readonly #values = new Map<string, number>();

  readonly #parts = new Map<string, { looked: number; were: number }>();

  add(text: string): void {
    let rest = text;
    for (const { name, looks, is } of KINDS) {
      let found = false;
      // What is of one kind is not a part of another: an IBAN's digits are no phone number.
      rest = rest.replace(looks, (part) => {
        const counts = this.#parts.get(name) ?? { looked: 0, were: 0 };
        const one = is(part);
        this.#parts.set(name, { looked: counts.looked + 1, were: counts.were + (one ? 1 : 0) });
        found ||= one;
        return one ? '\n' : part;
      });
      if (found) this.#values.set(name, (this.#values.get(name) ?? 0) + 1);
    }
  }

  /** Kinds that are there, with how many values hold them. */
  found(): { kind: string; values: number }[] {
    return KINDS.flatMap(({ name, least }) => {
      const parts = this.#parts.get(name);
      const values = this.#values.get(name) ?? 0;
      return parts && values > 0 && parts.were >= least * parts.looked ? [{ kind: name, values }] : [];
    });
  }
}
