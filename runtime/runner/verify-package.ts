import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import { PackageManifest } from '../../contract/package.js';
import { digestOf } from '../../domain/digest.js';

/** Checks the manifest of a package folder against its digest, and every file against the manifest. Anything else is `package/corrupt`. */
export async function verifyPackage(directory: string): Promise<PackageManifest> {
  const manifest = await readManifest(directory);
  const found = digestOf(manifest.content);
  if (found !== manifest.digest) throw new PerennialError('package/corrupt', `manifest.json: its content has the digest ${found}, it says ${manifest.digest}`, { file: 'manifest.json' });
  for (const { path, sha256 } of manifest.content.files) {
    const actual = await fileDigest(join(directory, path));
    if (actual !== sha256) throw new PerennialError('package/corrupt', actual === null ? `${path} is missing` : `${path} has the digest ${actual}, the manifest says ${sha256}`, { file: path });
  }
  return manifest;
}

async function readManifest(directory: string): Promise<PackageManifest> {
  try {
    return PackageManifest.parse(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')));
  } catch (cause) {
    throw new PerennialError('package/corrupt', `manifest.json cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { file: 'manifest.json' }, { cause });
  }
}

async function fileDigest(path: string): Promise<string | null> {
  try {
    return createHash('sha256').update(await readFile(path)).digest('hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
