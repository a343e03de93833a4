import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Ref } from '../../contract/ref.js';
import type { Artifacts } from '../../stores/artifacts.js';

/** Written last: a checkpoint without it is not complete and is never resumed from. */
const StoredCheckpoint = z.strictObject({
  v: z.literal(1), epoch: z.int(), batch: z.int(),
  files: z.array(z.strictObject({ path: z.string(), ref: Ref })),
});
/** What the training child writes beside its files. */
const LocalManifest = z.looseObject({ state: z.looseObject({ epoch: z.int(), batch: z.int() }) });

const prefixOf = (run: string) => `runs/${run}/`;

/** Removes the checkpoints of every attempt. Deleting what is gone changes nothing. */
export async function discardCheckpoints(artifacts: Artifacts, run: string): Promise<void> {
  await artifacts.delete(await artifacts.list(prefixOf(run)));
}

/** Checkpoints of a run in S3, `runs/<run>/<attempt>/checkpoints/`, fenced by attempt: nobody writes into another attempt's path. */
export function createCheckpoints({ artifacts, run, attempt }: { artifacts: Artifacts; run: string; attempt: string }) {
  const prefix = prefixOf(run);
  return {
    /** Stores a checkpoint folder, its marker last. */
    async save(directory: string): Promise<void> {
      const { epoch, batch } = LocalManifest.parse(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))).state;
      const target = `${prefix}${attempt}/checkpoints/${String(epoch).padStart(6, '0')}-${String(batch).padStart(9, '0')}`;
      const files = [];
      for (const path of (await readdir(directory)).sort()) files.push({ path, ref: await artifacts.putAt(`${target}/${path}`, join(directory, path), { contentType: 'application/octet-stream' }) });
      const stored: z.infer<typeof StoredCheckpoint> = { v: 1, epoch, batch, files };
      await artifacts.putAt(`${target}/complete.json`, new TextEncoder().encode(JSON.stringify(stored)), { contentType: 'application/json' });
    },

    /** Fetches the newest complete checkpoint of any attempt into `directory`; null when there is none. */
    async restore(directory: string): Promise<{ directory: string; epoch: number; batch: number } | null> {
      const markers = (await artifacts.list(prefix)).filter((key) => key.endsWith('/complete.json'));
      const found = await Promise.all(markers.map(async (key) => StoredCheckpoint.parse(JSON.parse(new TextDecoder().decode(await artifacts.getAt(key))))));
      const newest = found.sort((a, b) => b.epoch - a.epoch || b.batch - a.batch)[0];
      if (!newest) return null;
      for (const file of newest.files) await artifacts.getToFile(file.ref, join(directory, file.path));
      return { directory, epoch: newest.epoch, batch: newest.batch };
    },
  };
}
