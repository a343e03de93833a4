import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createContext } from '../../../cli/command.js';
import type { Io } from '../../../cli/io.js';
import { createWorld, type World } from '../../../cli/demo/world.js';
import { loadConfig, type Config } from '../../../infra/config.js';
import { removeHome } from '../../../infra/stack/testing.js';
import { down } from '../../../infra/supervisor/down.js';
import { identify, isAlive, ProcessIdentity } from '../../../infra/supervisor/identity.js';
import { AlreadyRunning } from '../../../infra/supervisor/lock.js';
import type { ProgramName } from '../../../infra/supervisor/programs.js';
import { readStatus } from '../../../infra/supervisor/read-status.js';
import { up } from '../../../infra/supervisor/up.js';
import { createDatabase, type Database } from '../../../stores/database.js';
import { createStores, type Stores } from '../../../stores/index.js';
import { unaddressed } from '../../support/environment.js';

/** The machine may be loaded: what takes a second on an idle one may take a hundred. */
export const PATIENCE_MS = 180_000;
const PREFIX = 'perennial-e2e-';
const OWNER = 'owner.json';

export interface RunningHome {
  readonly home: string;
  readonly config: Config;
  readonly db: Database;
  readonly stores: Stores;
  readonly world: World;
  readonly io: Io;
  /** What commands and the story printed, for the message of a test that fails. */
  transcript(): string;
  pidOf(program: ProgramName): Promise<number>;
  /** SIGKILL, without a word before. Gives the pid that is gone. */
  kill(program: ProgramName): Promise<number>;
  /** Waits until the supervisor has another process of the program ready. */
  untilBack(program: ProgramName, killed: number): Promise<void>;
  /** `perennial down`, then `perennial up` again. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Everything that `perennial up` starts, on a state folder of its own in the system's temporary folder. */
export async function startHome(): Promise<RunningHome> {
  await endAbandoned(PREFIX);
  const home = await mkdtemp(join(tmpdir(), PREFIX));
  await noteOwner(home);
  const env = { ...unaddressed(process.env), PERENNIAL_HOME: home };
  const close = async () => { await down({ home }); await removeHome(home); };
  try {
    await up({ home, detach: true, env, timeoutMs: PATIENCE_MS });
  } catch (error) {
    await close();
    throw error;
  }

  const said: string[] = [];
  const say = (text: string) => { said.push(`${new Date().toISOString().slice(11, 23)} ${text}`); };
  const io: Io = { out: say, err: say, isTerminal: false, columns: 120, env, cwd: home, ask: null };
  const addressed = () => {
    const impatient = createWorld(io);
    return { config: loadConfig({ env, cwd: home }), world: { ...impatient, until: (what, look, timeoutMs = PATIENCE_MS) => impatient.until(what, look, timeoutMs) } satisfies World };
  };
  let now = addressed();
  const db = createDatabase(now.config.databaseUrl, { max: 3, applicationName: 'perennial e2e' });

  const processOf = async (program: ProgramName) => {
    const { status } = await readStatus(home);
    const found = status?.programs.find(({ name }) => name === program);
    if (!found) throw new Error(`${program} is not run by the supervisor of ${home}`);
    return found;
  };
  const running: RunningHome = {
    home, db, stores: createStores(db), io,
    get config() { return now.config; },
    get world() { return now.world; },
    transcript: () => said.join(''),
    async pidOf(program) {
      const { pid } = await now.world.until(`a process of ${program}`, async () => { const found = await processOf(program); return found.pid !== undefined && found; });
      return pid ?? 0;
    },
    async kill(program) {
      const pid = await running.pidOf(program);
      process.kill(pid, 'SIGKILL');
      say(`*** ${program} (pid ${pid}) killed\n`);
      return pid;
    },
    async untilBack(program, killed) {
      await now.world.until(`${program} after its process ${killed} was killed`, async () => { const { state, pid } = await processOf(program); return state === 'ready' && pid !== killed; });
    },
    async restart() {
      await down({ home });
      await up({ home, detach: true, env, timeoutMs: PATIENCE_MS });
      now = addressed(); // another stack may have taken a port meanwhile
    },
    async close() {
      await db.close();
      await close();
    },
  };
  return running;
}

/** A context for commands that give JSON. */
export function contextOf({ io }: RunningHome) {
  return createContext(io, true);
}

/** Repeats a step of a test until it holds; its last failure is the test's. */
export async function eventually<T>(step: () => Promise<T>, timeoutMs = PATIENCE_MS): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; await sleep(200)) {
    try {
      return await step();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** Notes in a folder who uses it, so that `endAbandoned` knows when nobody does. */
export async function noteOwner(folder: string): Promise<void> {
  await writeFile(join(folder, OWNER), JSON.stringify(identify(process.pid)));
}

/** Ends and removes what a test run that was killed left in the system's temporary folder; `homeIn` is where the state is below it. */
export async function endAbandoned(prefix: string, homeIn = ''): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(prefix))) {
    const folder = join(tmpdir(), name);
    const home = join(folder, homeIn);
    const owner = await readFile(join(folder, OWNER), 'utf8').then((text) => ProcessIdentity.parse(JSON.parse(text)), () => null);
    if (owner === null || isAlive(owner)) continue;
    try {
      await down({ home });
    } catch (error) {
      if (error instanceof AlreadyRunning) continue; // another file of this run has begun to end it
      throw error;
    }
    await removeHome(home);
    await rm(folder, { recursive: true, force: true });
  }
}
