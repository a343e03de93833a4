import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Ref } from '../../contract/ref.js';
import type { ActivityDeps } from '../deps.js';
import { sweep } from './workspace.js';

/** A file nobody opened for this long leaves the machine; S3 has it. */
const UNUSED_MS = 7 * 86_400_000;

/**
 * Stored Parquet files on this machine, in the order of their references. They are kept in the scratch folder by their sha256, checked each
 * time, and fetched again when they are damaged; several processes may do so at once. `signal` stops between files.
 * @throws PerennialError `storage/*` where S3 does not give its files
 */
export async function cachedFiles({ artifacts, scratch }: Pick<ActivityDeps, 'artifacts' | 'scratch'>, refs: readonly Ref[], signal?: AbortSignal): Promise<string[]> {
  const cache = join(scratch, 'shards');
  await mkdir(cache, { recursive: true });
  const paths: string[] = [];
  for (const ref of refs) {
    signal?.throwIfAborted();
    const path = join(cache, `${ref.sha256}.parquet`);
    if (await isWhole(path, ref)) await utimes(path, new Date(), new Date());
    else await artifacts.getToFile(ref, path);
    paths.push(path);
  }
  await sweep(cache, UNUSED_MS);
  return paths;
}

async function isWhole(path: string, ref: Ref): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found?.size !== ref.bytes) return false;
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex') === ref.sha256;
}
