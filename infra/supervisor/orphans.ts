import { isAlive, sessionLeadersWith, type ProcessIdentity } from './identity.js';
import type { PidRecord } from './pids.js';
import { adopt, endProcess, programMark } from './spawn.js';

/** A process of this home that outlived its supervisor. */
export interface Orphan {
  name: string;
  identity: ProcessIdentity;
  /** missing where its supervisor was killed before it could take a note */
  record?: PidRecord;
}

const defaultGraceMs = 10_000;
const signals: readonly string[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'] satisfies NodeJS.Signals[];

/** The value that marks the processes of a program of this home. */
export function markOf(home: string, name: string): string {
  return `${home}#${name}`;
}

/** Every process of this home that still runs: those in the notes, and those whose environment carries this home's mark. */
export function findOrphans(home: string, records: Readonly<Record<string, PidRecord>>): Orphan[] {
  const noted = Object.entries(records).filter(([, record]) => isAlive(record)).map(([name, record]): Orphan => ({ name, identity: { pid: record.pid, startTime: record.startTime }, record }));
  const known = new Set(noted.map(({ identity }) => identity.pid));
  const prefix = markOf(home, '');
  const marked = sessionLeadersWith(programMark, (value) => value.startsWith(prefix)).filter(({ identity }) => !known.has(identity.pid));
  return [...noted, ...marked.map(({ identity, value }): Orphan => ({ name: value.slice(prefix.length), identity }))];
}

/** Ends an orphan as its own supervisor would have. */
export async function endOrphan({ identity, record }: Orphan): Promise<void> {
  const stopSignal = (signals.find((signal) => signal === record?.stopSignal) ?? 'SIGTERM') as NodeJS.Signals;
  await endProcess(adopt(identity), stopSignal, record?.graceMs ?? defaultGraceMs);
}
