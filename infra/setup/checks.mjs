import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { capture } from './exec.mjs';
import { partsOf, platform } from './parts.mjs';

const GB = 1e9;
const FULL_DISK_GB = 4;
const PART_DISK_GB = 1;

/** The C++ compiler: CXX, else g++. */
export function compiler(env = process.env) {
  return env.CXX || 'g++';
}

function atLeast(version, wanted) {
  const found = version.split('.').map(Number);
  for (const [place, number] of wanted.entries()) {
    if ((found[place] ?? 0) !== number) return (found[place] ?? 0) > number;
  }
  return true;
}

/** @returns {{ok: boolean, say: string}} `say` is the finding where ok, else the one sentence that says what to do */
export function checkNode(version = process.versions.node) {
  if (atLeast(version, [20, 19])) return { ok: true, say: version };
  return { ok: false, say: `Node ${version} is too old: install Node 20.19 or later (22 is fine).` };
}

export function checkPlatform(name = platform) {
  if (partsOf(name)) return { ok: true, say: name };
  return { ok: false, say: `The native parts are pinned for linux-x64 only and this is ${name}: use a Linux x64 machine or container.` };
}

export async function checkPython() {
  const python = await capture('python3', ['-c', 'import platform, pip; print(platform.python_version(), pip.__version__)'], { timeoutMs: 20_000 });
  const advice = 'install Python 3.9 or later with pip (Debian, Ubuntu: apt-get install python3 python3-pip).';
  if (!python.found) return { ok: false, say: `python3 is not on PATH: ${advice}` };
  if (python.stderr.includes("'pip'")) return { ok: false, say: `python3 has no pip: ${advice}` };
  const [version, pip] = python.stdout.trim().split(' ');
  if (python.code !== 0 || !version) return { ok: false, say: `python3 does not run: ${advice}` };
  if (!atLeast(version, [3, 9])) return { ok: false, say: `Python ${version} is too old: ${advice}` };
  return { ok: true, say: `${version}, pip ${pip}` };
}

export async function checkCompiler() {
  const command = compiler();
  const found = await capture(command, ['--version'], { timeoutMs: 20_000 });
  if (found.found && found.code === 0) return { ok: true, say: found.stdout.split('\n')[0] ?? command };
  return { ok: false, say: `The C++ compiler ${command} is not on PATH: install g++ (Debian, Ubuntu: apt-get install g++) or name another one in CXX.` };
}

export async function checkNpm() {
  const found = await capture('npm', ['--version'], { timeoutMs: 20_000 });
  if (found.found && found.code === 0) return { ok: true, say: found.stdout.trim() };
  return { ok: false, say: 'npm is not on PATH: install the npm that comes with Node 20.19 or later.' };
}

function nearest(path) {
  return existsSync(path) ? path : nearest(dirname(path));
}

/** Room where the cache lives: 4 GB for everything, 1 GB where TensorFlow is there already. */
export async function checkDisk(root, everything) {
  const { bavail, bsize } = await statfs(nearest(root));
  const wanted = everything ? FULL_DISK_GB : PART_DISK_GB;
  const free = (bavail * bsize) / GB;
  if (free >= wanted) return { ok: true, say: `${free.toFixed(1)} GB free at ${root}` };
  return { ok: false, say: `Only ${free.toFixed(1)} GB are free at ${root} and set-up needs ${wanted} GB: make room, or name another folder in PERENNIAL_CACHE.` };
}

/** As root, PostgreSQL runs as another user, who must be able to enter every folder above its programs. */
export async function checkEnterable(root) {
  if (process.getuid?.() !== 0) return { ok: true, say: root };
  for (let folder = nearest(root); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) {
      return { ok: false, say: `Other users cannot enter ${folder}, and PostgreSQL will not run as root: run chmod o+x ${folder}, or name another folder in PERENNIAL_CACHE.` };
    }
    if (folder === dirname(folder)) return { ok: true, say: root };
  }
}

/**
 * Everything that must hold before anything is installed.
 * @param {{root: string, missing: import('./parts.mjs').Part[], dependencies: boolean}} work the parts and whether npm dependencies are to be installed
 * @returns {Promise<string[]>} one sentence for each thing that is missing
 */
export async function checkBefore({ root, missing, dependencies }) {
  const kinds = new Set(missing.map((part) => part.kind));
  const native = missing.length > 0;
  const findings = await Promise.all([
    Promise.resolve(checkNode()),
    ...(native ? [checkPython(), checkDisk(root, kinds.has('library')), checkEnterable(root)] : []),
    ...(kinds.has('addon') ? [checkCompiler()] : []),
    ...(native || dependencies ? [checkNpm()] : []),
  ]);
  return findings.filter((finding) => !finding.ok).map((finding) => finding.say);
}
