import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from './canonical.js';

/** sha256 in lower-case hex (FIPS 180-4); a string is hashed as its UTF-8 bytes. Pure, so that it also works in a workflow. */
export function sha256Hex(data: Uint8Array | string): string {
  return bytesToHex(sha256(typeof data === 'string' ? utf8ToBytes(data) : data));
}

/** The name of a value by its content: sha256 of its canonical JSON. Throws where {@link canonicalJson} does. */
export function digestOf(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
