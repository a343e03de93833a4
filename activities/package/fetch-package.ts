import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PackageManifest } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import { readJson } from '../json.js';
import type { ActivityDeps } from '../deps.js';

/** A version's package in a local folder named by its digest: fetched once, every file checked, complete when it has its name. */
export async function fetchPackage({ artifacts, scratch }: ActivityDeps, { packageDigest, manifest: ref }: { packageDigest: string; manifest: Ref }): Promise<string> {
  const directory = join(scratch, 'packages', packageDigest);
  if (await stat(directory).catch(() => null)) return directory;
  const partial = `${directory}.${process.pid}-${Date.now()}.tmp`;
  const manifest = PackageManifest.parse(await readJson(artifacts, ref));
  const base = ref.uri.slice(0, ref.uri.lastIndexOf('/'));
  for (const file of manifest.content.files) {
    await mkdir(dirname(join(partial, file.path)), { recursive: true });
    await artifacts.getToFile({ uri: `${base}/${file.path}`, sha256: file.sha256, bytes: file.bytes }, join(partial, file.path));
  }
  await artifacts.getToFile(ref, join(partial, 'manifest.json'));
  await rename(partial, directory).catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true });
    if (!(await stat(directory).catch(() => null))) throw error;
  });
  return directory;
}
