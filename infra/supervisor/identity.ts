import { readFileSync, readdirSync } from 'node:fs';
import { z } from 'zod';

/**
 * Who a process is. A pid alone is used again; together with the moment of the process's start (clock ticks since boot) and the
 * boot it belongs to, it never is.
 */
export const ProcessIdentity = z.object({ pid: z.int().positive(), startTime: z.string() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

interface Stat {
  state: string;
  parent: number;
  group: number;
  session: number;
  startTicks: string;
}

let bootId: string | undefined;

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the process has ended, or is another user's: no statement about it is possible
  }
}

/** One line of `/proc/<pid>/stat` (proc(5)); undefined where there is no such process or it is a zombie, which only waits to be forgotten. */
function readStat(pid: number): Stat | undefined {
  const line = readProc(`/proc/${pid}/stat`);
  if (line === undefined) return undefined;
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' '); // the name may contain blanks and brackets
  const [state = 'X', parent, group, session] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { state, parent: Number(parent), group: Number(group), session: Number(session), startTicks: fields[19] ?? '' };
}

/** The identity of a running process, or undefined where there is none with this pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  bootId ??= readProc('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? 'unknown';
  return { pid, startTime: `${bootId}/${stat.startTicks}` };
}

/** True while this very process runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** The command line, its arguments separated by blanks; empty where it cannot be read. For messages, never for decisions about ending. */
export function commandLine(pid: number): string {
  return (readProc(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

/** Resident memory in bytes (`VmRSS`); 0 for a process that has ended. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024;
}

function runningPids(): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Members of a process group other than its leader, also after the leader has ended. */
export function groupMembers(leader: number): number[] {
  return runningPids().filter((pid) => pid !== leader && readStat(pid)?.group === leader);
}

/**
 * Leaders of a session with a matching variable in their environment: processes we started detached, also where the note of their
 * pid was lost. A process that one of them started is not listed, even in a session of its own.
 */
export function sessionLeadersWith(name: string, matches: (value: string) => boolean): { identity: ProcessIdentity; value: string }[] {
  const marked = new Map<number, string>();
  for (const pid of runningPids()) {
    const entry = readProc(`/proc/${pid}/environ`)?.split('\0').find((candidate) => candidate.startsWith(`${name}=`));
    const value = entry?.slice(name.length + 1);
    if (value !== undefined && matches(value)) marked.set(pid, value);
  }
  return [...marked].flatMap(([pid, value]) => {
    const stat = readStat(pid);
    const identity = identify(pid);
    return stat !== undefined && identity !== undefined && stat.session === pid && !marked.has(stat.parent) ? [{ identity, value }] : [];
  });
}
