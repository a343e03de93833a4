import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isErrno, isThere } from './files.js';

/** PostgreSQL refuses to run as root: there it runs as the first of these users that the system knows. */
const candidates = ['perennial', 'postgres', 'nobody'];
/** For what that user must reach and cannot reach below root's own folders. */
const sharedRoot = '/var/lib/perennial';

export interface UnixUser {
  name: string;
  uid: number;
  gid: number;
}

/** The user PostgreSQL has to run as: undefined (the present one) unless we are root. */
export async function postgresUser(): Promise<UnixUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known = await readFile('/etc/passwd', 'utf8');
  for (const name of candidates) {
    const [, , uid, gid] = known.split('\n').find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined && Number(uid) !== 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  const name = 'perennial';
  await promisify(execFile)('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
  return postgresUser();
}

/** True where everyone may pass through every folder above this path. Ownership is not looked at: the answer is for a stranger. */
export async function isReachableByOthers(path: string): Promise<boolean> {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    try {
      if (((await stat(folder)).mode & 0o001) === 0) return false;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error; // made later, below a folder that was looked at
    }
    if (folder === dirname(folder)) return true;
  }
}

/** A folder outside root's own ones for the data of this home. */
export function sharedDataFolder(home: string): string {
  return join(sharedRoot, createHash('sha256').update(resolve(home)).digest('hex').slice(0, 16));
}

/** Moves a folder to a name beside it that is free; null where there is none. */
export async function setAside(folder: string): Promise<string | null> {
  for (let number = 1; ; number += 1) {
    const aside = `${folder}.former-${number}`;
    if (await isThere(aside)) continue;
    try {
      await rename(folder, aside);
      return aside;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null;
      throw error;
    }
  }
}

/**
 * Makes the folder that will hold PostgreSQL's data, owned by the user it runs as.
 * Its parents become passable, not readable, for others.
 */
export async function prepareDataParent(folder: string, user: UnixUser | undefined): Promise<void> {
  if (user === undefined) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return;
  }
  if (folder.startsWith(`${sharedRoot}/`)) {
    await mkdir(sharedRoot, { recursive: true, mode: 0o711 });
    await chmod(sharedRoot, 0o711);
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chown(folder, user.uid, user.gid);
}

/**
 * PostgreSQL's programs where that user can execute them: in place, or (from below root's own folders) as a copy that is made
 * once for each version and appears as a whole.
 * @param bin folder of the programs; its sibling `lib` and `share` come along
 */
export async function reachablePrograms(bin: string, version: string, user: UnixUser | undefined): Promise<string> {
  if (user === undefined || (await isReachableByOthers(join(bin, 'postgres')))) return bin;
  const copy = join(sharedRoot, `postgres-${version}`);
  try {
    await stat(copy);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    await mkdir(sharedRoot, { recursive: true, mode: 0o711 });
    await chmod(sharedRoot, 0o711);
    const partial = `${copy}.${process.pid}.partial`;
    await cp(dirname(bin), partial, { recursive: true, verbatimSymlinks: true });
    await promisify(execFile)('chmod', ['-R', 'a+rX', partial]);
    try {
      await rename(partial, copy);
    } catch (race) {
      await rm(partial, { recursive: true, force: true });
      if (!isErrno(race, 'ENOTEMPTY') && !isErrno(race, 'EEXIST')) throw race; // another process made the same copy first
    }
  }
  return join(copy, 'bin');
}
