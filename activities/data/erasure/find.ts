import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../../contract/errors.js';
import { SnapshotManifest } from '../../../contract/snapshot.js';
import type { ActivityDeps } from '../../deps.js';
import { readJson } from '../../../stores/json-objects.js';
import { literal, openDuck } from '../duckdb.js';
import { withWorkspace } from '../workspace.js';
import { reviseFrozen } from '../frozen/revise.js';
import { erasedSql } from './forget.js';

/**
 * Looks through every snapshot of the model and marks those that hold the row; a frozen test set that holds it is made anew without it. A shard that several share is read once; one that was removed
 * for another erasure is passed over. Marks are written once each, so a second try adds what is missing.
 */
export async function findErased({ stores, artifacts, scratch }: ActivityDeps, { model, id }: { readonly model: string; readonly id: string }, signal: AbortSignal, onShard: () => void): Promise<void> {
  const [erasure, erased] = [await stores.erasures.get(id), await stores.erasures.erased(model)];
  if (!erasure || !erased) throw new Error(`erasure ${id} of ${model} was not recorded`);
  await withWorkspace(scratch, 'erasures', async (folder) => {
    const duck = await openDuck(folder, signal);
    const known = new Map<string, boolean>();
    try {
      for (const snapshot of await stores.snapshots.listFor(model, ALL)) {
        const { shards } = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
        const files: string[] = [];
        for (const { file } of shards) {
          signal.throwIfAborted();
          if (!known.has(file.sha256)) {
            known.set(file.sha256, await holds(file));
            onShard();
          }
          if (known.get(file.sha256)) files.push(file.sha256);
        }
        if (files.length > 0) await stores.erasures.mark({ erasure: id, snapshot: snapshot.digest, files });
      }
      // After the marks: what is frozen from now on is refused where its snapshot holds the row.
      const looked = async (file: SnapshotManifest['shards'][number]['file']) => {
        if (!known.has(file.sha256)) known.set(file.sha256, await holds(file));
        return known.get(file.sha256) ?? false;
      };
      for (const set of await stores.frozen.toSearch(model)) {
        await reviseFrozen(set, { deps: { stores, artifacts }, duck, folder, signal, erasure: { id, keyHash: erasure.keyHash }, hashed: erasedSql(erased.salt), holds: looked });
        onShard();
      }
    } finally {
      duck.close();
    }

    async function holds(file: SnapshotManifest['shards'][number]['file']): Promise<boolean> {
      const path = join(folder, `${file.sha256}.parquet`);
      try {
        await artifacts.getToFile(file, path);
      } catch (error) {
        if (error instanceof PerennialError && error.code === 'storage/missing') return false;
        throw error;
      }
      const [found] = await duck.rows<{ n: bigint }>(`select count(*) as n from read_parquet(${literal(path)}) where ${erasedSql(erased?.salt ?? '')} = $1`, [erasure?.keyHash ?? '']);
      await rm(path, { force: true });
      return Number(found?.n ?? 0) > 0;
    }
  });
  await stores.erasures.searched(id);
}

/** More snapshots than a model has. */
const ALL = 1_000_000;
