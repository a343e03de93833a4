import type { Split } from '../contract/snapshot.js';
import { sha256Hex } from './digest.js';

/** Shares of the rows, 0..1, together 1. */
export interface SplitShares { readonly train: number; readonly validation: number; readonly test: number }

/**
 * The split of a row, by its key alone: adding rows never moves one. The first 8 hex digits of sha256 of the key, over 2^32, fall into
 * test, then validation, then train, in this order from 0; so growing `train` moves rows only into it. With a `salt` the hash is of
 * salt, line feed and key: another, independent division of the same rows.
 * @throws RangeError when the shares are not 0..1 or do not sum to 1
 */
export function splitOf(key: string, { train, validation, test }: SplitShares, salt = ''): Split {
  const shares = [train, validation, test];
  if (!shares.every((share) => share >= 0 && share <= 1) || Math.abs(train + validation + test - 1) > 1e-9) throw new RangeError(`shares of train, validation and test sum to 1, not ${shares.join(' + ')}`);
  const position = parseInt(sha256Hex(salt === '' ? key : `${salt}\n${key}`).slice(0, 8), 16) / 2 ** 32;
  if (position < test) return 'test';
  // What rounding leaves between the sum of the shares and 1 belongs to the last one that has any.
  return position < test + validation || train === 0 ? (validation === 0 ? 'test' : 'validation') : 'train';
}

/** The shard of a row, 0 to `count - 1`: hex digits 9 to 16 of sha256 of its key, modulo the count. Independent of {@link splitOf}. */
export function shardOf(key: string, count: number): number {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`there is at least one shard, not ${count}`);
  return parseInt(sha256Hex(key).slice(8, 16), 16) % count;
}
