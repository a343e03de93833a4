import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isComplete, makeFolder, manifestIsTrue, partFolder, writeManifest, writeStamp } from './cache.mjs';
import { endChildren } from './exec.mjs';
import { isAlive, withLock } from './lock.mjs';
import { createProgress } from './progress.mjs';
import { recipes } from './recipes.mjs';

const AT_ONCE = 3;

/** Folders that set-ups which are no more left behind. */
async function sweep(root) {
  for (const name of await readdir(root)) {
    const pid = /\.(?:tmp|old)-(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) await rm(join(root, name), { recursive: true, force: true });
  }
}

/** Installs one part beside its place and renames it there, so that a part is either wholly there or not at all. */
async function installPart(part, parts, root, progress) {
  const place = partFolder(part, root);
  const next = `${place}.tmp-${process.pid}`;
  const needed = parts.find((other) => other.id === part.needs);
  await rm(next, { recursive: true, force: true });
  await mkdir(next, { mode: 0o755 });
  progress.start(part, next);
  try {
    await recipes[part.kind](part, next, needed && partFolder(needed, root));
    writeStamp(part, next);
    if (existsSync(place)) {
      const old = `${place}.old-${process.pid}`;
      await rename(place, old);
      await rename(next, place);
      await rm(old, { recursive: true, force: true });
    } else {
      await rename(next, place);
    }
    progress.end(part);
  } catch (error) {
    progress.fail(part);
    await rm(next, { recursive: true, force: true });
    throw error;
  }
}

/** Runs the installs, three at a time, each after the part it needs; all are tried, then the failures are told. */
async function installAll(missing, parts, root, progress) {
  const results = new Map();
  let free = AT_ONCE;
  const waiting = [];
  const slot = async () => {
    if (free === 0) await new Promise((resolve) => waiting.push(resolve));
    else free -= 1;
  };
  const release = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  for (const part of missing) {
    const before = missing.find((other) => other.id === part.needs);
    results.set(part.id, (async () => {
      if (before) await results.get(before.id);
      await slot();
      try {
        await installPart(part, parts, root, progress);
      } finally {
        release();
      }
    })());
  }
  const settled = await Promise.allSettled(results.values());
  return [...new Set(settled.filter((result) => result.status === 'rejected').map((result) => result.reason))];
}

/**
 * Fills the cache: installs what is missing, mends what is half done, writes the manifest.
 * @param {{parts: import('./parts.mjs').Part[], wanted: import('./parts.mjs').Part[], root: string, stream: NodeJS.WriteStream}} work
 * @throws the first failure, after every part was tried; what did succeed stays
 */
export async function installParts({ parts, wanted, root, stream }) {
  makeFolder(root);
  const onWait = (pid) => stream.write(`Another set-up (process ${pid}) is filling ${root}; waiting for it.\n`);
  await withLock(join(root, 'setup.lock'), onWait, async () => {
    await sweep(root);
    const missing = wanted.filter((part) => !isComplete(part, root));
    const progress = createProgress(stream, missing.reduce((sum, part) => sum + part.workBytes, 0));
    const [failure, ...others] = await installAll(missing, parts, root, progress);
    progress.close();
    if (failure) {
      for (const other of others) stream.write(`${other.message}\n`);
      throw failure;
    }
    if (!manifestIsTrue(parts, root)) writeManifest(parts, root);
  });
}

/** Takes away what a stopped set-up was writing, and its lock. */
export async function abandon(root) {
  endChildren();
  if (!existsSync(root)) return;
  const mine = new RegExp(`\\.tmp-${process.pid}$`);
  for (const name of await readdir(root)) {
    if (mine.test(basename(name))) await rm(join(root, name), { recursive: true, force: true });
  }
}
