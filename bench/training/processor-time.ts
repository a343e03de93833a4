import { readFileSync } from 'node:fs';

/** The kernel counts in USER_HZ, which is 100 on every Linux. */
const TICKS_A_SECOND = 100;

/** Processor seconds of this process and of its children that have ended; null where the system has no /proc. */
export function processorSeconds(): number | null {
  const { user, system } = process.cpuUsage();
  const children = ofChildren();
  return children === null ? null : (user + system) / 1e6 + children;
}

/** `cutime` and `cstime` of proc_pid_stat(5); the name before them is in brackets and may hold anything. */
function ofChildren(): number | null {
  let text: string;
  try {
    text = readFileSync('/proc/self/stat', 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_A_SECOND;
}
