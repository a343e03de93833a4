import { readFile, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFrames } from './frames.js';
import { ownerLives } from './owner.js';
import { decodeRecord, type LoggedRecord } from './record.js';
import { CLOSED, OPEN } from './segment-writer.js';

export interface SegmentFile { path: string; bytes: number }

/** Folders below `dir` whose process has ended: nobody writes there any more. */
export async function orphanedFolders(dir: string, own: string): Promise<string[]> {
  const names = await readdir(dir, { withFileTypes: true });
  return names.filter((entry) => entry.isDirectory() && entry.name !== own && !ownerLives(entry.name)).map((entry) => join(dir, entry.name));
}

/** Complete segments of a folder, oldest first; with `orphaned`, also the one its process was writing when it died. */
export async function completeSegments(folder: string, orphaned: boolean): Promise<SegmentFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(CLOSED) || (orphaned && name.endsWith(OPEN))).sort();
  return Promise.all(names.map(async (name) => ({ path: join(folder, name), bytes: (await stat(join(folder, name))).size })));
}

/** Removes an orphaned folder once everything in it was shipped. */
export async function removeIfEmpty(folder: string): Promise<void> {
  if ((await readdir(folder)).length === 0) await rmdir(folder);
}

/** `damaged`: of the records that were read so far, how many cannot be. */
export interface SegmentRead { readonly records: Iterable<LoggedRecord>; readonly damaged: () => number }

/**
 * The records of a segment, each read when it is asked for: held all at once, thousands of them would outlive what a thread's memory has room for, and moving them
 * about took it longer than copying them. A torn tail is left out: its answer never left.
 */
export async function readSegment(path: string): Promise<SegmentRead> {
  const bytes = await readFile(path);
  let unreadable = 0;
  function* records(): Generator<LoggedRecord> {
    for (const payload of readFrames(bytes, () => { unreadable += 1; })) {
      const record = readRecord(payload);
      if (record) yield record;
      else unreadable += 1; // counted, and the whole segment is kept for people to look at
    }
  }
  return { records: records(), damaged: () => unreadable };
}

function readRecord(payload: Buffer): LoggedRecord | null {
  try {
    return decodeRecord(payload);
  } catch {
    return null;
  }
}

/** A segment is done: deleted, or kept under another name where part of it could not be read. */
export async function discardSegment(path: string, keep: boolean): Promise<void> {
  if (keep) await rename(path, `${path}.damaged`);
  else await rm(path, { force: true });
}
