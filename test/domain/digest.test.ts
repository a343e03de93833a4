import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestOf, sha256Hex } from '../../domain/digest.js';

test('sha256 of the messages of FIPS 180-4', () => {
  expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256Hex('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
});

test('a string is hashed as its UTF-8 bytes, equal to the platform\'s digest', () => {
  const text = 'Zulassung € 😀';
  expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
  expect(sha256Hex(text)).toBe(sha256Hex(new TextEncoder().encode(text)));
});

test('the digest of a value does not depend on the order of its members', () => {
  expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }));
  expect(digestOf({ a: 1, b: 2 })).toBe(createHash('sha256').update('{"a":1,"b":2}').digest('hex'));
});
