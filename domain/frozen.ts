import type { SnapshotManifest } from '../contract/snapshot.js';
import { digestOf } from './digest.js';

type Described = Pick<SnapshotManifest, 'content' | 'sources'>;

/**
 * The manifest of a frozen test set: that of a snapshot, of test shards alone. Its digest names the rows, so the same test rows of another
 * snapshot have the same. A shard that lost an erased row has a digest of its former one and that row's salted hash.
 */
export function frozenManifest({ content, sources }: Described, shards: SnapshotManifest['shards']): SnapshotManifest {
  const test = shards.filter(({ split, rows }) => split === 'test' && rows > 0).map((shard, index) => ({ ...shard, index }));
  const described: SnapshotManifest['content'] = { ...content, shards: test.map(({ index, split, rows, digest }) => ({ index, split, rows, digest })) };
  return { v: 1, digest: digestOf(described), content: described, shards: test, counts: { bySplit: { test: rowsOf(test) }, byClass: {}, byAttribute: {} }, sources };
}

export function rowsOf(shards: readonly { readonly rows: number }[]): number {
  return shards.reduce((sum, { rows }) => sum + rows, 0);
}

/** The digests of a snapshot's test shards: two snapshots with equal ones have the same test rows. */
export function testRowsOf({ content }: Pick<SnapshotManifest, 'content'>): string {
  return content.shards.filter(({ split, rows }) => split === 'test' && rows > 0).map(({ digest }) => digest).join(' ');
}
