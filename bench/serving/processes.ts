import { readFileSync } from 'node:fs';
import { isErrno } from '../../infra/stack/files.js';

/** The kernel counts in USER_HZ, which is 100 on every Linux. */
const TICKS_A_SECOND = 100;

/** Processor seconds of these processes and of all below them, since each began; null where the system has no /proc. */
export function processorSecondsOf(pids: readonly number[]): number | null {
  if (process.platform !== 'linux') return null;
  return pids.reduce((sum, pid) => sum + ownSeconds(pid) + (processorSecondsOf(childrenOf(pid)) ?? 0), 0);
}

/** `utime` and `stime` of proc_pid_stat(5); the name before them is in brackets and may hold anything. */
function ownSeconds(pid: number): number {
  const text = readIfThere(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_A_SECOND;
}

const childrenOf = (pid: number): number[] => readIfThere(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter((text) => text !== '').map(Number);

/** Nothing of a process that has just ended. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return '';
    throw error;
  }
}
