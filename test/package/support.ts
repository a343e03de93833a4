import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../docs/support.js';

export const run = promisify(execFile);

/** `npm pack` of the checkout; gives the tarball's path. */
export async function packTarball(folder: string): Promise<string> {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
  const [tarball, ...others] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  if (tarball === undefined || others.length > 0) throw new Error(`npm pack left ${others.length + (tarball === undefined ? 0 : 1)} tarballs in ${folder}`);
  return join(folder, tarball);
}

/** Unpacks a tarball of npm into a folder that is made for it. */
export async function unpackTarball(tarball: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder]);
}
