import type { ProfileRefs } from '../../contract/data-profile.js';
import { PerennialError } from '../../contract/errors.js';
import type { Ref } from '../../contract/ref.js';
import type { DataReport, SnapshotManifest } from '../../contract/snapshot.js';
import { shortColumn } from '../../definition/columns.js';
import type { Data } from '../../definition/data.js';
import { digestOf } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { requireRun } from '../lookup.js';
import type { OpenView } from '../features/open-views.js';
import type { Erased } from './erasure/forget.js';
import type { BuiltRows } from './rows.js';

export interface SavedSnapshot { readonly digest: string; readonly manifest: Ref; readonly rows: number; readonly counts: SnapshotManifest['counts'] }

/** A snapshot of exactly these rows that was made before, and profiled; its report becomes the newest. */
export async function saveKnown({ stores }: ActivityDeps, { built, erased, digest, report, views }: { built: BuiltRows; views: readonly OpenView[]; erased: Erased; digest: string; report: DataReport }): Promise<SavedSnapshot | null> {
  const known = await stores.snapshots.get(digest);
  if (!known?.profile) return null;
  await fixBoundaries(stores, known.model, built);
  await stores.snapshots.save({ ...known, report, blocked: false }, erased?.hashes.length ?? 0);
  await stores.featureStores.use(digest, views.map(({ used }) => used));
  return { digest, manifest: known.manifest, rows: known.rows, counts: known.counts };
}

/** Writes the manifest, then the row: who finds the row finds everything. */
export async function saveSnapshot({ deps, made, content, data, views, erased, built, report, shards, profile }: {
  deps: ActivityDeps; made: { readonly run: string; readonly commit: string }; content: SnapshotManifest['content']; data: Data; views: readonly OpenView[]; erased: Erased; built: BuiltRows; report: DataReport; shards: SnapshotManifest['shards']; profile: ProfileRefs;
}): Promise<SavedSnapshot> {
  const { model } = content;
  await fixBoundaries(deps.stores, model, built);
  const digest = digestOf(content);
  const manifest: SnapshotManifest = { v: 1, digest, content, shards, counts: built.counts, sources: withOrigins(built.sources, data), made: { ...made, by: (await requireRun(deps.stores, made.run)).reason.by, at: new Date().toISOString() }, ...(built.boundaries?.length ? { boundaries: built.boundaries.map(({ fixed: _, ...one }) => one) } : {}) };
  const ref = await deps.artifacts.putOnce(`snapshots/${digest}/manifest.json`, new TextEncoder().encode(JSON.stringify(manifest)), { contentType: 'application/json' });
  await deps.stores.snapshots.save({ digest, model, manifest: ref, rows: built.rows, counts: built.counts, report, blocked: false, profile }, erased?.hashes.length ?? 0);
  await deps.stores.featureStores.use(digest, views.map(({ used }) => used));
  return { digest, manifest: ref, rows: built.rows, counts: built.counts };
}

/** The sources of rows, in the order of the definition's, with what it says of their origin. */
function withOrigins(sources: SnapshotManifest['sources'], { sources: described }: Data): SnapshotManifest['sources'] {
  return sources.map((source, index) => {
    const { terms, collected } = described[index] ?? {};
    return { ...source, ...(terms === undefined ? {} : { terms }), ...(collected === undefined ? {} : { collected }) };
  });
}

/** Makes boundaries of times those of all later snapshots. Where another build was first, this one has divided its rows by others: it is tried again. */
async function fixBoundaries({ splitBoundaries }: ActivityDeps['stores'], model: string, { boundaries = [] }: BuiltRows): Promise<void> {
  for (const { rule, column, validationFrom, testFrom } of boundaries.filter(({ fixed }) => !fixed)) {
    const held = await splitBoundaries.fix({ model, rule, validationFrom, testFrom });
    if (held.validationFrom !== validationFrom || held.testFrom !== testFrom) throw new PerennialError('data/changed', `another snapshot of ${model} has meanwhile fixed from which ${column} on rows are test rows`, { column });
  }
}

/** As the pictures are when they are stored. */
function imageOf({ name, height, width, channels }: Extract<Data, { kind: 'images' }>['image']): SnapshotManifest['content']['image'] {
  return { name, height, width, channels };
}

/** What a snapshot is named by. */
export function contentOf(model: string, data: Data, { shards, personal }: Pick<BuiltRows, 'personal'> & { readonly shards: SnapshotManifest['content']['shards'] }, views: readonly OpenView[]): SnapshotManifest['content'] {
  return {
    kind: data.kind, model, target: data.target.task === 'regression' ? { task: 'regression', name: data.target.name } : { name: data.target.name, classes: data.target.classes },
    ...(data.kind === 'images' ? { image: imageOf(data.image) } : { columns: data.columns.map(shortColumn) }), ...(personal ? { personal } : {}),
    ...(views.length > 0 ? { views: views.map(({ joined }) => joined) } : {}),
    ...(data.kind === 'table' ? { rowDigest: 2 as const } : {}), shards: shards.map(({ index, split, rows, digest }) => ({ index, split, rows, digest })),
  };
}
