import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import { PackageManifest } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import { digestOf } from '../../domain/digest.js';
import type { Artifacts } from '../../stores/artifacts.js';

/** A version's package, as its row names it. */
export interface PackageName { readonly packageDigest: string; readonly manifest: Ref }

export interface PackageCache {
  /** Folder of the package: every file's digest was checked when it was fetched. Throws `package/corrupt`, `storage/unavailable`. */
  fetch(name: PackageName): Promise<string>;
  /** Bytes of its files together. Fetches no more than the manifest. */
  bytesOf(name: PackageName): Promise<number>;
  /** The folder, if the package is here already; needs no S3. */
  local(packageDigest: string): Promise<string | null>;
  /** Forgets a package that turned out to be damaged on this disk. */
  discard(packageDigest: string): Promise<void>;
  /** Removes the packages used longest ago; `inUse` and the newest few stay. */
  prune(inUse: ReadonlySet<string>): Promise<void>;
}

const KEPT = 8;

/** Packages on the local disk, by digest. A folder is complete or not there. */
export function createPackageCache(folder: string, artifacts: Artifacts): PackageCache {
  const pending = new Map<string, Promise<string>>();
  const pathOf = (digest: string) => join(folder, digest);

  async function local(digest: string): Promise<string | null> {
    try {
      const now = new Date();
      await utimes(pathOf(digest), now, now);
      return pathOf(digest);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  async function download({ packageDigest, manifest: ref }: PackageName): Promise<string> {
    const manifest = await readManifest(ref, packageDigest);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const scratch = await mkdtemp(join(folder, '.fetching-'));
    try {
      const base = ref.uri.slice(0, ref.uri.lastIndexOf('/') + 1);
      await artifacts.getToFile(ref, join(scratch, 'manifest.json'));
      for (const file of manifest.content.files) {
        const path = join(scratch, file.path);
        await mkdir(dirname(path), { recursive: true });
        await artifacts.getToFile({ uri: `${base}${file.path}`, sha256: file.sha256, bytes: file.bytes }, path);
      }
      await rm(pathOf(packageDigest), { recursive: true, force: true });
      await rename(scratch, pathOf(packageDigest));
    } catch (error) {
      await rm(scratch, { recursive: true, force: true });
      if (error instanceof PerennialError && error.code === 'storage/digest-mismatch') throw new PerennialError('package/corrupt', `a file of package ${packageDigest.slice(0, 12)} does not match its digest`, {}, { cause: error });
      throw error;
    }
    return pathOf(packageDigest);
  }

  async function readManifest(ref: Ref, packageDigest: string): Promise<PackageManifest> {
    const corrupt = (why: string, cause?: unknown) => new PerennialError('package/corrupt', `the manifest of package ${packageDigest.slice(0, 12)} ${why}`, {}, { cause });
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(await artifacts.get(ref)).toString('utf8'));
    } catch (error) {
      if (error instanceof PerennialError && error.code !== 'storage/digest-mismatch') throw error;
      throw corrupt('is damaged', error);
    }
    const parsed = PackageManifest.safeParse(value);
    if (!parsed.success) throw corrupt('does not have the expected form', parsed.error);
    if (parsed.data.digest !== packageDigest || digestOf(parsed.data.content) !== packageDigest) throw corrupt('does not match its digest');
    return parsed.data;
  }

  /** Null where the package is not here, or damaged: whoever uses it finds that out. */
  async function manifestHere(packageDigest: string): Promise<PackageManifest | null> {
    try {
      return PackageManifest.parse(JSON.parse(await readFile(join(pathOf(packageDigest), 'manifest.json'), 'utf8')));
    } catch {
      return null;
    }
  }

  return {
    local,
    async bytesOf({ packageDigest, manifest: ref }) {
      const { content } = (await manifestHere(packageDigest)) ?? (await readManifest(ref, packageDigest));
      return content.files.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    async fetch(name) {
      const here = await local(name.packageDigest);
      if (here) return here;
      const running = pending.get(name.packageDigest) ?? download(name).finally(() => pending.delete(name.packageDigest));
      pending.set(name.packageDigest, running);
      return running;
    },
    discard: (digest) => rm(pathOf(digest), { recursive: true, force: true }),
    async prune(inUse) {
      const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name) && !inUse.has(name));
      const aged = await Promise.all(names.map(async (name) => ({ name, usedAt: (await stat(pathOf(name))).mtimeMs })));
      for (const { name } of aged.sort((a, b) => b.usedAt - a.usedAt).slice(KEPT)) await rm(pathOf(name), { recursive: true, force: true });
    },
  };
}
