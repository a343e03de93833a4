import { copyFile, open, rename, stat, truncate } from 'node:fs/promises';
import { isErrno } from '../stack/files.js';

/** A log file is set aside as `<file>.1` when it grows beyond this; the one before becomes `<file>.2`, older ones go. */
const maxBytes = 16 * 1024 * 1024;
const generations = 2;

async function shift(file: string): Promise<void> {
  for (let generation = generations; generation > 1; generation -= 1) await renameIfThere(`${file}.${generation - 1}`, `${file}.${generation}`);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Starts a new log file, keeping the old ones aside. */
export async function rotateLog(file: string): Promise<void> {
  await shift(file);
  await renameIfThere(file, `${file}.1`);
}

/**
 * Sets a log file that has grown too large aside. Its writer keeps it open (in append mode), so it is copied and emptied;
 * lines written in between are lost.
 */
export async function capLog(file: string, limit = maxBytes): Promise<void> {
  try {
    if ((await stat(file)).size <= limit) return;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  await shift(file);
  await copyFile(file, `${file}.1`);
  await truncate(file);
}

/** The last lines of a log file, oldest first; none where there is no such file. Reads at most its last 64 KiB. */
export async function tailLog(file: string, lines = 10): Promise<string[]> {
  const windowBytes = 64 * 1024;
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - windowBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(windowBytes), 0, windowBytes, start);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).filter((line) => line !== '');
  } finally {
    await handle.close();
  }
}
