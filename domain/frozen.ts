import type { SnapshotManifest } from '../contract/snapshot.js';
import { typedColumns } from '../definition/columns.js';
import type { Data } from '../definition/data.js';
import { classesOf, taskOf } from '../definition/target.js';
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

/** In what the rows of a frozen set are not what a definition's data is made of, so that its candidates cannot be measured on them; empty where they fit. */
export function misfits(data: Data, { kind, target, image, columns }: SnapshotManifest['content']): string[] {
  if (kind !== data.kind) return [`it is of ${kind === 'images' ? 'pictures' : 'a table'}`];
  const found: string[] = [];
  const [wanted, frozen] = [classesOf(data.target), classesOf(target)];
  if (taskOf(data.target) !== taskOf(target)) found.push(`it is of a ${taskOf(target)}`);
  else if (wanted.join('\n') !== frozen.join('\n')) found.push(`its classes are ${frozen.join(', ')}, those of the definition ${wanted.join(', ')}`);
  if (data.kind === 'images') {
    const { height, width, channels } = data.image;
    if (!image || image.height !== height || image.width !== width || image.channels !== channels) found.push(`its pictures are of another size (${image ? `${image.height} × ${image.width} × ${image.channels}` : 'unknown'}, not ${height} × ${width} × ${channels})`);
    return found;
  }
  const known = new Map(typedColumns(columns ?? []).map((column) => [column.name, column]));
  for (const { name, type, nullable } of typedColumns(data.columns)) {
    const column = known.get(name);
    if (!column) found.push(`it has no column ${name}`);
    else if (column.type !== type) found.push(`its column ${name} is of type ${column.type}, that of the definition of type ${type}`);
    else if (column.nullable && !nullable) found.push(`values of its column ${name} may be missing, those of the definition may not`);
  }
  return found;
}
