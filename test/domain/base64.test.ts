import { expect, test } from 'vitest';
import { fromBase64, toBase64 } from '../../domain/base64.js';

test.each([['', ''], ['f', 'Zg=='], ['fo', 'Zm8='], ['foo', 'Zm9v'], ['foob', 'Zm9vYg=='], ['fooba', 'Zm9vYmE='], ['foobar', 'Zm9vYmFy']])('%j is %j and back (RFC 4648, section 10)', (text, encoded) => {
  expect(toBase64(new TextEncoder().encode(text))).toBe(encoded);
  expect(new TextDecoder().decode(fromBase64(encoded) ?? undefined)).toBe(text);
});

test('every length round trips, and is what the platform gives', () => {
  for (let length = 0; length < 100; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 151 + length * 31) & 255);
    expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  }
});

test.each(['Zg', 'Zg=', 'Z===', 'Zh==', 'Zm9=', 'Zm-_', 'Zm 9', '====', 'Zg==Zg=='])('%j is refused', (text) => {
  expect(fromBase64(text)).toBeNull();
});
