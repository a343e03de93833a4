import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPseudonyms, keyOf } from '../../runtime/personal/pseudonyms.js';

const pseudonyms = createPseudonyms('a secret', 'churn');
const letters = (hex: string) => [...hex].map((digit) => 'abcdefghijklmnop'[parseInt(digit, 16)]).join('');

describe('a pseudonym', () => {
  it('is a keyed hash: the same of a model and a value, another of every other', () => {
    const mac = createHmac('sha256', 'a secret').update(JSON.stringify(['churn', 'ada@example.com'])).digest('hex');
    expect(pseudonyms.replace('hash', 'ada@example.com')).toBe(`hash:${letters(mac).slice(0, 32)}`);
    const others = [pseudonyms.replace('hash', 'ada@example.org'), createPseudonyms('another', 'churn').replace('hash', 'ada@example.com'), createPseudonyms('a secret', 'other').replace('hash', 'ada@example.com')];
    expect(new Set([pseudonyms.replace('hash', 'ada@example.com'), ...others]).size).toBe(4);
    expect(pseudonyms.key).toBe(keyOf('a secret'));
    expect(keyOf('another')).not.toBe(pseudonyms.key);
  });

  it('stands for what is found in a text, however that is written, and for nothing else', () => {
    const kinds: string[] = [];
    const text = pseudonyms.replace('hash-found', 'ADA@example.com or ada@example.com, +43 (1) 58858-0 and DE89 3704 0044 0532 0130 00 since 2026-01-31', (kind) => kinds.push(kind));
    expect(text).toMatch(/^\[mail:([a-p]{16})\] or \[mail:\1\], \[phone:[a-p]{16}\] and \[iban:[a-p]{16}\] since 2026-01-31$/);
    expect(kinds.sort()).toEqual(['IBAN', 'mail address', 'mail address', 'phone number']);
    expect(pseudonyms.replace('drop-found', 'card 4111 1111 1111 1111, DNI 12345678Z')).toBe('card [card], DNI [id]');
    expect(pseudonyms.replace('hash-found', 'order 12345678A of 10 pieces')).toBe('order 12345678A of 10 pieces');
  });

  it('stays when it is replaced again', () => {
    for (const text of ['ada@example.com', '192.168.17.4 and 2001:db8::ff00:42:8329', '+4315885801', '', 'GB82WEST12345698765432 4111111111111111 5555-5555-5555-4444', '131052-308T'.repeat(3)]) {
      for (const action of ['hash', 'hash-found', 'drop-found'] as const) {
        const once = pseudonyms.replace(action, text);
        expect(pseudonyms.replace(action, once)).toBe(once);
      }
    }
  });
});
