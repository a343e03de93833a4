import { readdirSync, readFileSync } from 'node:fs';

/** Stops a process and all its descendants where they are (SIGSTOP), as a disk that hangs would. Gives what lets them go on. */
export function freeze(pid: number): () => void {
  const stopped = [pid, ...descendantsOf(pid)];
  for (const one of stopped) signal(one, 'SIGSTOP');
  return () => { for (const one of stopped) signal(one, 'SIGCONT'); };
}

function descendantsOf(pid: number): number[] {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), parentOf(Number(name))] as const);
  const below = (parent: number): number[] => parents.filter(([, own]) => own === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0; // it has ended since it was listed
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
