import { readFileSync } from 'node:fs';

/** Moment of a process's start, in ticks since boot; null where it cannot be read (the process is gone, or there is no /proc). */
function startOf(pid: number): string | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null; // no statement is possible
  }
}

function boot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  } catch {
    return 'none';
  }
}

/** A folder name that says which process writes there: boot, pid and moment of start, since a pid alone is used again. */
export function ownFolderName(): string {
  return `${boot()}-${process.pid}-${startOf(process.pid) ?? '0'}`;
}

/** True where the process that a folder is named for may still be writing to it. */
export function ownerLives(folder: string): boolean {
  const [ofBoot, pid, start] = folder.split('-');
  if (ofBoot !== boot()) return false;
  if (start !== '0') return startOf(Number(pid)) === start;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}
