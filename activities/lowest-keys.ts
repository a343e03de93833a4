import { sha256Hex } from '../domain/digest.js';

/** The `count` keys that hash lowest, with their hashes, lowest first: the same ones each time and from everywhere. No more than twice as many are held. */
export function lowestKeys(keys: Iterable<string>, count: number): Map<string, string> {
  let lowest: [key: string, hash: string][] = [];
  const cut = () => { lowest = lowest.sort(([, a], [, b]) => (a < b ? -1 : 1)).slice(0, count); };
  for (const key of keys) {
    lowest.push([key, sha256Hex(key)]);
    if (lowest.length >= 2 * count) cut();
  }
  cut();
  return new Map(lowest);
}
