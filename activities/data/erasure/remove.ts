import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SnapshotProfile } from '../../../contract/data-profile.js';
import type { ProfileRefs } from '../../../contract/data-profile.js';
import { SnapshotManifest } from '../../../contract/snapshot.js';
import type { ActivityDeps } from '../../deps.js';
import { readJson } from '../../../stores/json-objects.js';

/**
 * Removes what holds erased rows, once a snapshot without them, `successor`, is there: the shards' files from S3 and from this machine, and the
 * profiles, which may show their values, and the files that frozen test sets had before they were made anew. A file that a snapshot without a mark uses too (the same rows of another model) stays. Manifests
 * stay, as what is known of a marked snapshot. Deleting twice is fine, and only then is it noted.
 */
export async function removeErased({ stores, artifacts, scratch }: ActivityDeps, model: string, successor: string): Promise<void> {
  const marked = (await stores.erasures.toRemove(model)).filter(({ snapshot }) => snapshot !== successor);
  const frozen = await stores.frozen.toRemove(model);
  if ((marked.length === 0 && frozen.length === 0) || (await stores.erasures.marksOf(successor)).length > 0) return;
  const needed = new Set<string>();
  for await (const { manifest, profile } of stores.snapshots.unmarked()) {
    for (const { file } of SnapshotManifest.parse(await readJson(artifacts, manifest)).shards) needed.add(file.sha256);
    for (const file of await profileFiles(artifacts, profile)) needed.add(file);
  }
  for (const manifest of await stores.frozen.manifests()) for (const { file } of SnapshotManifest.parse(await readJson(artifacts, manifest)).shards) needed.add(file.sha256);
  const forget = async (files: readonly string[], more: readonly string[] = []) => {
    const gone = files.filter((file) => !needed.has(file));
    await artifacts.delete([...gone.map((file) => `blobs/${file}`), ...more]);
    await Promise.all(gone.map((file) => rm(join(scratch, 'shards', `${file}.parquet`), { force: true })));
  };
  for (const { name, revision, files } of frozen) {
    await forget(files);
    await stores.frozen.removed({ model, name, revision });
  }
  for (const { erasure, snapshot, files } of marked) {
    // Noted before the snapshot forgets its profile, so that a second try knows what is left to delete.
    const profile = await profileFiles(artifacts, (await stores.snapshots.get(snapshot))?.profile ?? null);
    await stores.erasures.addFiles({ erasure, snapshot, files: profile });
    await stores.snapshots.forgetProfile(snapshot);
    await forget([...files, ...profile], [`snapshots/${snapshot}/profile.json`, `snapshots/${snapshot}/profile.html`]);
    await stores.erasures.removed({ erasure, snapshot });
  }
}

/** Blobs of a snapshot's profile: of all rows, and of each shard. */
async function profileFiles(artifacts: ActivityDeps['artifacts'], refs: ProfileRefs | null): Promise<string[]> {
  if (!refs) return [];
  const { parts } = SnapshotProfile.parse(await readJson(artifacts, refs.data));
  return [refs.data.sha256, ...parts.map(({ profile }) => profile.sha256)];
}
