import type { DataProfile } from '../../contract/data-profile.js';
import type { Split, SnapshotManifest, SnapshotPersonal } from '../../contract/snapshot.js';
import type { FixedBoundaries } from './time-boundaries.js';

/** A shard whose rows are decided; `write` makes its Parquet file. */
export interface BuiltShard {
  readonly index: number; readonly split: Split; readonly rows: number;
  /** Of its rows, see contract/snapshot.ts; null where it is only known once they are written. */
  readonly digest: string | null;
  /** Shards may be written at the same time. */
  readonly write: (file: string) => Promise<void>;
  /** The digest of its rows, and what they are like; of a table, read from the file that was written. */
  readonly read: (file: string) => Promise<ReadShard>;
}

export interface ReadShard { readonly digest: string; readonly profile: DataProfile }

/** What becomes a snapshot, unless validation blocked it. */
export interface BuiltRows {
  readonly rows: number;
  readonly shards: readonly BuiltShard[];
  readonly counts: SnapshotManifest['counts'];
  readonly sources: SnapshotManifest['sources'];
  /** Of rules that give shares of a time. */
  readonly boundaries?: readonly FixedBoundaries[];
  /** Where values were replaced. */
  readonly personal?: SnapshotPersonal;
}

export const SPLITS = ['train', 'validation', 'test'] as const satisfies readonly Split[];

/** Attribute values that are counted in a manifest; a free attribute (a request's id) could have as many as rows. */
const COUNTED_VALUES = 200;

export function byAttribute(counts: ReadonlyMap<string, number>): Record<string, number> {
  const largest = [...counts].sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1)).slice(0, COUNTED_VALUES);
  return Object.fromEntries(largest.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How many shards a split gets: a power of two, so that a growing split is divided again rather than dealt anew. */
export function shardCount(rows: number, rowsPerShard: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(rows / rowsPerShard)));
}
