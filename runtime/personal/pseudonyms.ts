import { createHmac } from 'node:crypto';
import type { ReplacingAction } from '../../definition/personal.js';
import { CANDIDATE, KINDS } from './kinds.js';

/** Half a byte is a letter, so that no pseudonym looks like a number that is looked for. */
const LETTERS = 'abcdefghijklmnop';
/** Of 256 bits; among a billion people two share one with a chance of 1 in 10^20 (whole values), 1 in 37 (parts of texts). */
const VALUE_LETTERS = 32;
const PART_LETTERS = 16;
const KEY_LETTERS = 12;
/** A value of this form is a pseudonym already, as those of snapshots and of the prediction log are. */
const PSEUDONYM = new RegExp(`^hash:[${LETTERS}]{${VALUE_LETTERS}}$`);

/** Replaces personal data of one model by pseudonyms. Replacing what was replaced changes nothing. */
export interface Pseudonyms {
  /** Names the secret without telling it: other secrets give other pseudonyms. */
  readonly key: string;
  /** `found` is called for each part of a text that is replaced, with its kind. */
  replace(action: ReplacingAction, value: string, found?: (kind: string) => void): string;
}

/** Pseudonyms by HMAC-SHA-256 (RFC 2104) under a secret: of one model the same value has the same one for ever, and those of two models cannot be matched. */
export function createPseudonyms(secret: string, model: string): Pseudonyms {
  const candidate = new RegExp(CANDIDATE);
  const token = (letters: number, ...parts: readonly string[]) => lettersOf(createHmac('sha256', secret).update(JSON.stringify(parts)).digest(), letters);
  const inText = (text: string, name: boolean, found: (kind: string) => void) => {
    let rest = text;
    for (const { name: kind, tag, looks, is } of KINDS) {
      rest = rest.replace(looks, (part) => {
        if (!is(part)) return part;
        found(kind);
        return name ? `[${tag}:${token(PART_LETTERS, model, tag, plain(part))}]` : `[${tag}]`;
      });
    }
    return rest;
  };
  return {
    key: keyOf(secret),
    replace(action, value, found = () => undefined) {
      if (action === 'hash') return PSEUDONYM.test(value) ? value : `hash:${token(VALUE_LETTERS, model, value)}`;
      if (!candidate.test(value)) return value; // as DuckDB chooses the texts to look at
      // What is replaced may lay bare what stood beside it: until nothing is found any more.
      for (let text = value; ;) {
        const next = inText(text, action === 'hash-found', found);
        if (next === text) return text;
        text = next;
      }
    },
  };
}

/** The name of a secret. */
export function keyOf(secret: string): string {
  return lettersOf(createHmac('sha256', secret).update('the name of this key').digest(), KEY_LETTERS);
}

/** One number or address, however it is written: `+43 1 58858` and `+43158858`, `Ada@…` and `ada@…`. */
function plain(part: string): string {
  return part.replaceAll(/[\s()/-]/g, '').toLowerCase();
}

function lettersOf(bytes: Uint8Array, count: number): string {
  let letters = '';
  for (const byte of bytes.subarray(0, count / 2)) letters += (LETTERS[byte >> 4] ?? '') + (LETTERS[byte & 15] ?? '');
  return letters;
}
