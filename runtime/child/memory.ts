import { readFileSync } from 'node:fs';

/**
 * Resident bytes of a process, or null where that cannot be known (it ended, or the system has no /proc). Resident size
 * and not the heap's: TensorFlow allocates outside the heap.
 */
export function residentBytes(pid: number): number | null {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return null;
  }
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match ? Number(match[1]) * 1024 : null;
}
