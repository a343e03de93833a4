import { join } from 'node:path';
import { replaceFile } from '../stack/files.js';
import { ensureHome } from '../stack/home.js';
import type { Program } from '../stack/program.js';
import { acquireLock } from './lock.js';
import { capLog, rotateLog } from './logs.js';
import { createManaged, type Managed } from './managed.js';
import { endOrphan, findOrphans, markOf, type Orphan } from './orphans.js';
import { loadPids, programDigest, savePids, type PidRecord } from './pids.js';
import { planPrograms, type ProgramName } from './programs.js';
import { adopt } from './spawn.js';
import type { SupervisorStatus } from './status.js';
import { createWriter } from './writer.js';

const capEveryMs = 15_000;

export interface SupervisorOptions {
  /** the state folder `.perennial/` */
  home: string;
  /** what to run; default: the table of `programs.ts`, narrowed by `only` */
  programs?: readonly Program[];
  only?: readonly ProgramName[];
  env?: NodeJS.ProcessEnv;
  /** lines about what it does */
  onEvent?: (line: string) => void;
  onStatus?: (status: SupervisorStatus) => void;
}

export interface Supervisor {
  status(): SupervisorStatus;
  /** settles when every program was ready once, one-shots done; also when it is closed before */
  readonly ready: Promise<void>;
  /** ends the programs, later stages first, and gives the home free */
  close(): Promise<void>;
}

/**
 * Takes the home's lock, takes over or ends what an earlier supervisor left running, and keeps the programs running until `close`.
 * @throws AlreadyRunning where another supervisor runs on this home
 */
export async function startSupervisor({ home, programs, only, env = process.env, onEvent = () => undefined, onStatus = () => undefined }: SupervisorOptions): Promise<Supervisor> {
  const layout = await ensureHome(home);
  const lock = await acquireLock(layout.lockFile);
  try {
    const records = await loadPids(layout.pidsFile);
    const orphans = findOrphans(layout.dir, records);
    const running = new Set(orphans.filter(({ record }) => record?.ready).map(({ name }) => name));
    const plan = programs === undefined ? await planPrograms({ home: layout.dir, env, running, ...(only === undefined ? {} : { only }) }) : { programs, notes: [] };
    for (const note of plan.notes) onEvent(note);
    const { adoptable, foreign } = sortOrphans(orphans, plan.programs);
    await Promise.all(foreign.map(async (orphan) => {
      onEvent(`${orphan.name}: ending process ${orphan.identity.pid}, left by an earlier supervisor`);
      await endOrphan(orphan);
    }));
    return supervise(plan.programs, adoptable);
  } catch (error) {
    await lock.release();
    throw error;
  }

  function supervise(table: readonly Program[], adoptable: ReadonlyMap<string, Orphan>): Supervisor {
    const startedAt = new Date();
    const managed = new Map<string, Managed>();
    const logOf = (name: string): string => join(layout.logsDir, `${name}.log`);
    const closing = new AbortController();

    const status = (): SupervisorStatus => ({
      v: 1,
      pid: process.pid,
      startedAt: startedAt.toISOString(),
      programs: table.map((program) => {
        const known = managed.get(program.name);
        return {
          name: program.name,
          state: known?.state ?? (closing.signal.aborted ? 'stopped' : 'starting'),
          ...(known?.identity === undefined ? {} : { pid: known.identity.pid }),
          since: (known?.since ?? startedAt).toISOString(),
          restarts: known?.restarts ?? 0,
          ...(program.url === undefined ? {} : { url: program.url }),
          ...(known?.lastFailure === undefined ? {} : { lastFailure: known.lastFailure }),
          logFile: logOf(program.name),
        };
      }),
    });
    const writeNotes = async (): Promise<void> => {
      const pids: Record<string, PidRecord> = {};
      for (const { program, identity, state } of managed.values()) {
        if (identity !== undefined) pids[program.name] = { ...identity, digest: programDigest(program), ready: state === 'ready', stopSignal: program.stopSignal, graceMs: program.graceMs };
      }
      for (const [name, { record }] of adoptable) if (!managed.has(name) && record !== undefined) pids[name] = record; // its turn comes
      await savePids(layout.pidsFile, pids);
      await replaceFile(layout.statusFile, `${JSON.stringify(status(), null, 2)}\n`);
    };
    const notes = createWriter(writeNotes, (error) => onEvent(`the notes in ${layout.dir} could not be written: ${String(error)}`));
    const changed = (): void => {
      notes.request();
      onStatus(status());
    };

    const startAll = async (): Promise<void> => {
      for (const stage of [...new Set(table.map((program) => program.stage))].sort((a, b) => a - b)) {
        const ofStage = table.filter((program) => program.stage === stage);
        for (const program of ofStage) {
          if (closing.signal.aborted) return;
          const orphan = adoptable.get(program.name);
          if (orphan === undefined) await rotateLog(logOf(program.name));
          const adopted = orphan === undefined ? undefined : adopt(orphan.identity);
          managed.set(program.name, createManaged(program, { logFile: logOf(program.name), mark: markOf(layout.dir, program.name), adopted, onEvent, onChange: changed }));
        }
        changed();
        await Promise.all([...managed.values()].filter(({ program }) => program.stage === stage).map(({ started }) => started));
      }
    };
    const ready = startAll().then(() => notes.settled());
    ready.catch((error: unknown) => onEvent(`not everything was started: ${String(error)}`));
    const capping = setInterval(() => {
      for (const { name } of [...table, { name: 'supervisor' }]) capLog(logOf(name)).catch((error: unknown) => onEvent(`${name}: its log could not be capped: ${String(error)}`));
    }, capEveryMs);

    const close = async (): Promise<void> => {
      closing.abort();
      clearInterval(capping);
      for (const stage of [...new Set(table.map((program) => program.stage))].sort((a, b) => b - a)) {
        await Promise.all([...managed.values()].filter(({ program }) => program.stage === stage).map((program) => program.stop()));
      }
      await ready;
      await Promise.all([...adoptable].filter(([name]) => !managed.has(name)).map(([, orphan]) => endOrphan(orphan)));
      adoptable = new Map();
      notes.request();
      await notes.settled();
      await lock.release();
    };
    let closed: Promise<void> | undefined;
    return { status, ready, close: () => (closed ??= close()) };
  }
}

/** Which orphans can go on, being what would be started again and ready, and which must end. */
function sortOrphans(orphans: readonly Orphan[], programs: readonly Program[]): { adoptable: Map<string, Orphan>; foreign: Orphan[] } {
  const digests = new Map(programs.filter(({ kind }) => kind === 'service').map((program) => [program.name, programDigest(program)]));
  const adoptable = new Map<string, Orphan>();
  const foreign: Orphan[] = [];
  for (const orphan of orphans) {
    const fits = orphan.record?.ready === true && orphan.record.digest === digests.get(orphan.name) && !adoptable.has(orphan.name);
    if (fits) adoptable.set(orphan.name, orphan);
    else foreign.push(orphan);
  }
  return { adoptable, foreign };
}
