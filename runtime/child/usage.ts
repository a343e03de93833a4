import { readFileSync } from 'node:fs';

/** A file of the kernel about a process, or null where that cannot be known (it ended, or the system has no /proc). */
function procFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return null;
  }
}

/** Resident bytes of a process, or null where that cannot be known. Resident size and not the heap's: TensorFlow allocates outside the heap. */
export function residentBytes(pid: number): number | null {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(procFile(pid, 'status') ?? '');
  return match ? Number(match[1]) * 1024 : null;
}

/** Memory of a process: what is its own, and pages of files that it shares with others which run the same program and libraries. */
export interface ResidentMemory { readonly ownBytes: number; readonly fileBytes: number }

/** Resident memory of a process by whose it is, or null where that cannot be known. */
export function residentMemory(pid: number): ResidentMemory | null {
  const status = procFile(pid, 'status');
  if (status === null) return null;
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { ownBytes: bytesOf('RssAnon') + bytesOf('RssShmem'), fileBytes: bytesOf('RssFile') };
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick. */
const TICK_MS = 10;

/** Processor time that a process has used, in milliseconds, or null where that cannot be known. */
export function processorMs(pid: number): number | null {
  const stat = procFile(pid, 'stat');
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything; utime and stime are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
