import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PackageManifest } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import { sweep } from '../data/workspace.js';
import { readJson } from '../../stores/json-objects.js';
import type { ActivityDeps } from '../deps.js';

/** A package nobody opened for this long leaves the machine; S3 has it. */
const UNUSED_MS = 7 * 86_400_000;

/** A version's package in a local folder named by its digest: fetched once, every file checked, complete when it has its name. */
export async function fetchPackage({ artifacts, scratch }: ActivityDeps, { packageDigest, manifest: ref }: { packageDigest: string; manifest: Ref }): Promise<string> {
  const cache = join(scratch, 'packages');
  await mkdir(cache, { recursive: true });
  await sweep(cache, UNUSED_MS);
  const directory = join(cache, packageDigest);
  if (await stat(directory).catch(() => null)) {
    await utimes(directory, new Date(), new Date());
    return directory;
  }
  const partial = `${directory}.${process.pid}-${Date.now()}.tmp`;
  try {
    const manifest = PackageManifest.parse(await readJson(artifacts, ref));
    const base = ref.uri.slice(0, ref.uri.lastIndexOf('/'));
    for (const file of manifest.content.files) {
      await mkdir(dirname(join(partial, file.path)), { recursive: true });
      await artifacts.getToFile({ uri: `${base}/${file.path}`, sha256: file.sha256, bytes: file.bytes }, join(partial, file.path));
    }
    await artifacts.getToFile(ref, join(partial, 'manifest.json'));
    await rename(partial, directory);
  } catch (error) {
    // A full disk would get fuller with each try.
    await rm(partial, { recursive: true, force: true });
    if (!(await stat(directory).catch(() => null))) throw error;
  }
  return directory;
}
