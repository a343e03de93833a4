import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { hasCode } from './errors.mjs';
import { MANIFEST_NUMBER, partsOf, platform } from './parts.mjs';

const STAMP = '.complete';

/**
 * The folder of the native parts: PERENNIAL_CACHE; else, as root, a folder that other users can enter (PostgreSQL will not
 * run as root); else the user's cache folder.
 */
export function cacheRoot(env = process.env) {
  if (env.PERENNIAL_CACHE) return resolve(env.PERENNIAL_CACHE);
  if (process.platform !== 'win32' && process.getuid?.() === 0) return '/var/cache/perennial';
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'perennial');
}

/** Makes a folder and its missing ancestors, enterable by everybody whatever the umask. */
export function makeFolder(path) {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** Digest over everything that decides what a part's folder holds. */
function recipeDigest(part) {
  const { id, version, kind, source, revision, files } = part;
  return createHash('sha256').update(JSON.stringify({ id, version, kind, source, revision, files, platform })).digest('hex');
}

/** Digest over all pins and recipes of a platform; a change of it needs a new MANIFEST_NUMBER. */
export function pinsDigest(name = platform) {
  return createHash('sha256').update((partsOf(name) ?? []).map(recipeDigest).join('\n')).digest('hex');
}

/** @param {import('./parts.mjs').Part} part */
export function partFolder(part, root = cacheRoot()) {
  return join(root, `${part.id}-${part.version}-${recipeDigest(part).slice(0, 8)}`);
}

/** Writes the stamp that makes a part count as complete: its recipe's digest and the sizes of the files it must have. */
export function writeStamp(part, folder) {
  const sizes = Object.fromEntries(part.files.map((file) => [file, statSync(join(folder, file)).size]));
  writeFileSync(join(folder, STAMP), JSON.stringify({ digest: recipeDigest(part), sizes }));
}

/** Reads JSON written by set-up; undefined where there is none or a crash left half of it. */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Is this part wholly there? Looks at the stamp and the sizes, not at the bytes. */
export function isComplete(part, root = cacheRoot()) {
  const folder = partFolder(part, root);
  const stamp = readJson(join(folder, STAMP));
  if (stamp?.digest !== recipeDigest(part)) return false;
  return part.files.every((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size === stamp.sizes?.[file]);
}

/** Where this version's manifest is. */
export function manifestPath(root = cacheRoot()) {
  return join(root, `manifest-${MANIFEST_NUMBER}.json`);
}

/** What the manifest must say: the places of all complete parts. Its reader is infra/native.ts. */
function manifestOf(parts, root) {
  const place = (id, ...rest) => join(partFolder(parts.find((part) => part.id === id), root), ...rest);
  const testServer = parts.find((part) => part.id === 'temporalTestServer');
  const there = parts.filter((part) => part !== testServer || isComplete(part, root));
  return {
    v: MANIFEST_NUMBER,
    platform,
    temporal: place('temporal', 'bin', 'temporal'),
    ...(there.includes(testServer) ? { temporalTestServer: place('temporalTestServer', 'bin', 'temporal-test-server') } : {}),
    weed: place('weed', 'bin', 'weed'),
    postgres: { bin: place('postgres', 'native', 'bin'), lib: place('postgres', 'native', 'lib'), version: parts.find((part) => part.id === 'postgres').version },
    tfjsNode: place('tfjsNode', 'index.cjs'),
    cifar10: place('cifar10'),
    versions: Object.fromEntries(there.map((part) => [part.id, part.version])),
  };
}

/** Is the manifest there, and true? */
export function manifestIsTrue(parts, root = cacheRoot()) {
  return JSON.stringify(readJson(manifestPath(root))) === JSON.stringify(manifestOf(parts, root));
}

/** Writes the manifest in one step. */
export function writeManifest(parts, root = cacheRoot()) {
  const path = manifestPath(root);
  const next = `${path}.tmp-${process.pid}`;
  writeFileSync(next, `${JSON.stringify(manifestOf(parts, root), null, 2)}\n`, { mode: 0o644 });
  chmodSync(next, 0o644);
  renameSync(next, path);
}
