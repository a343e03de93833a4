import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { capture, failed, mustRun } from './exec.mjs';
import { hasCode } from './errors.mjs';
import { packageRoot } from './package-root.mjs';

const stampOf = (root) => join(root, 'node_modules', '.perennial-lock');

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** npm keeps its own record of what it installed: a tree that somebody filled by hand needs no second install. */
function agreesWithNpm(lock, root) {
  const record = read(join(root, 'node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  const wanted = Object.entries(JSON.parse(lock).packages).filter(([place]) => place !== '');
  const installed = JSON.parse(record).packages;
  return wanted.every(([place, { version, optional, devOptional }]) => {
    const found = installed[place]?.version;
    return found === version || (found === undefined && (optional === true || devOptional === true));
  });
}

/** Are a checkout's npm dependencies those of its lock file? */
export function dependenciesAreThere(root = packageRoot) {
  const lock = read(join(root, 'package-lock.json')) ?? '';
  const digest = createHash('sha256').update(lock).digest('hex');
  if (read(stampOf(root)) === digest) return true;
  if (!agreesWithNpm(lock, root)) return false;
  writeFileSync(stampOf(root), digest);
  return true;
}

const npmFlags = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];

/**
 * npm 11 refuses a lock file that lacks the optional packages of other platforms, and a mirror of the registry that does
 * not hold them makes such lock files. It names them without a version; nothing this machine installs is missing then.
 */
function lacksOtherPlatformsOnly(said) {
  const complaints = said.split('\n').filter((line) => /(Missing|Invalid): /.test(line));
  return said.includes('EUSAGE') && complaints.length > 0 && complaints.every((line) => /Missing: \S+@ from lock file/.test(line));
}

/** Installs a checkout's npm dependencies; scripts stay off, because tfjs-node's fails wherever its download is blocked. */
export async function installDependencies(root = packageRoot) {
  const strict = await capture('npm', ['ci', ...npmFlags], { cwd: root });
  if (!strict.found || strict.code !== 0) {
    if (!lacksOtherPlatformsOnly(strict.stderr)) throw failed('Installing the npm dependencies', 'npm', strict);
    await mustRun('Installing the npm dependencies', 'npm', ['install', '--no-save', ...npmFlags], { cwd: root });
  }
  writeFileSync(stampOf(root), createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex'));
}

/** The direct dependencies of an installed package that cannot be found from its folder. */
export function unresolvedDependencies(root = packageRoot) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const isThere = (name) => {
    for (let folder = root; ; folder = dirname(folder)) {
      if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true;
      if (folder === dirname(folder)) return false;
    }
  };
  return Object.keys(dependencies).filter((name) => !isThere(name));
}
