import type { Cell } from './cells.js';
import { digestOf } from './digest.js';

/** The name under which an entity's newest row is kept: a digest over its key's cells, in the order of the view. */
export function entityHash(key: readonly Cell[]): string {
  return digestOf(key);
}
