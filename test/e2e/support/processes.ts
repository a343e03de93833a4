import { readdirSync, readFileSync } from 'node:fs';

/** Stops a process and all its descendants where they are (SIGSTOP), as a disk that hangs would. Gives what lets them go on. */
export function freeze(pid: number): () => void {
  const stopped = [pid, ...descendantsOf(pid)];
  for (const one of stopped) signal(one, 'SIGSTOP');
  return () => { for (const one of stopped) signal(one, 'SIGCONT'); };
}

export function descendantsOf(pid: number): number[] {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), parentOf(Number(name))] as const);
  const below = (parent: number): number[] => parents.filter(([, own]) => own === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** How a process was started; empty when it has ended. */
export const commandOf = (pid: number): string => readProc(pid, 'cmdline').replaceAll('\0', ' ');

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended since it was listed
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
