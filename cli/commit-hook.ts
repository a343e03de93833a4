import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { packageRoot } from '../infra/stack/package-root.js';
import { git } from './git.js';

const MARK = '# Installed by `perennial repository add`';
const KEPT = 'post-commit.before-perennial';

export interface InstalledHook { readonly file: string; readonly installed: boolean; /** An earlier hook that is called first. */ readonly kept: string | null; readonly script: string }

const quote = (text: string) => `'${text.replaceAll('\'', '\'\\\'\'')}'`;

/** Its exit code is 0 whatever happens: telling Perennial of a commit never breaks the commit. */
export function hookScript(repository: string, home: string): string {
  return `#!/bin/sh
${MARK}: tells Perennial of the commit. It never breaks the commit.
earlier="$(dirname "$0")/${KEPT}"
if [ -x "$earlier" ]; then "$earlier" "$@"; fi
PERENNIAL_HOME=${quote(home)} ${quote(process.execPath)} ${quote(join(packageRoot(), 'infra', 'bin', 'perennial.mjs'))} hook commit --repository ${quote(repository)} || true
exit 0
`;
}

/**
 * Installs the post-commit hook of a local repository; one that is there is kept and called first. Safe to repeat.
 * Hooks that the user's git keeps outside the repository (`core.hooksPath`) belong to other repositories too: nothing is written there.
 */
export async function installCommitHook(root: string, repository: string, home: string): Promise<InstalledHook> {
  const script = hookScript(repository, home);
  const folder = resolve(root, await git(root, 'rev-parse', '--git-path', 'hooks'));
  const common = resolve(root, await git(root, 'rev-parse', '--git-common-dir'));
  const file = join(folder, 'post-commit');
  const isInside = (parent: string) => !relative(parent, folder).startsWith('..');
  if (!isInside(common) && !isInside(root)) return { file, installed: false, kept: null, script };
  await mkdir(folder, { recursive: true });
  const existing = await textOf(file);
  let kept = (await textOf(join(folder, KEPT))) === null ? null : join(folder, KEPT);
  if (existing !== null && !existing.includes(MARK)) {
    kept = join(folder, KEPT);
    await rename(file, kept);
  }
  await writeFile(`${file}.new`, script, { mode: 0o755 });
  await chmod(`${file}.new`, 0o755);
  await rename(`${file}.new`, file);
  return { file, installed: true, kept, script };
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
