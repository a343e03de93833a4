import { openDuck, literal } from '../duckdb.js';
import type { Findings } from '../findings.js';
import type { Images, PictureRow } from '../picture-rows.js';
import { checkPng } from '../check-picture.js';
import type { OpenFrozenSet } from './open.js';

/** Leaves out of training and validation the pictures of frozen test sets: by their key, and by their pixels under another key. What is left out is reported. */
export async function keepFrozenPicturesOut(rows: readonly PictureRow[], data: Images, frozen: readonly OpenFrozenSet[], { findings, folder, signal }: { findings: Findings; folder: string; signal: AbortSignal }): Promise<readonly PictureRow[]> {
  let kept = rows;
  for (const set of frozen) {
    const { keys, pixels } = await picturesOf(set, data, folder, signal);
    kept = kept.filter(({ key, split, digest }) => {
      if (split === 'test') return true;
      if (keys.has(key)) findings.add('frozen', 'drop', `rows of the frozen test set ${set.name} that would train or validate are left out`, `${key} (${split})`);
      else if (pixels.has(digest)) findings.add('frozen', 'drop', `pictures that would train or validate are one of the frozen test set ${set.name}, under another key, and are left out`, `${key} (${split}) = ${pixels.get(digest) ?? ''}`);
      else return true;
      return false;
    });
  }
  return kept;
}

/** Keys, and the digests of pixels with a key that has them; pictures of another size have other pixels. */
async function picturesOf({ localShards }: OpenFrozenSet, data: Images, folder: string, signal: AbortSignal): Promise<{ keys: Set<string>; pixels: Map<string, string> }> {
  const [keys, pixels] = [new Set<string>(), new Map<string, string>()];
  const duck = await openDuck(folder, signal);
  try {
    for (const { path } of localShards) {
      const result = await duck.connection.stream(`select key, image from read_parquet(${literal(path)})`);
      for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        signal.throwIfAborted();
        const [key, image] = [chunk.getColumnVector(0), chunk.getColumnVector(1)];
        for (let row = 0; row < chunk.rowCount; row += 1) {
          const name = String(key.getItem(row));
          keys.add(name);
          const picture = checkPng((image.getItem(row) as unknown as { bytes: Uint8Array }).bytes, data.image);
          if (picture.ok) pixels.set(picture.digest, name);
        }
      }
    }
    return { keys, pixels };
  } finally {
    duck.close();
  }
}
