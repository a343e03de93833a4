import type { Cell } from './cells.js';
import { digestOf } from './digest.js';
import { parseDuration } from './times.js';

/** The name under which an entity's newest row is kept: a digest over its key's cells, in the order of the view. */
export function entityHash(key: readonly Cell[]): string {
  return digestOf(key);
}

/** Whether a view was brought up to date longer ago than its `freshness` allows, or never. `at`: milliseconds since 1970. */
export function isStale({ asOf, freshness }: { readonly asOf: string | null; readonly freshness: string }, at: number): boolean {
  return asOf === null || at - Date.parse(asOf) > parseDuration(freshness);
}
