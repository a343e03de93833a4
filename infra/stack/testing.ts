import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig, type Config } from '../config.js';
import { loadNativeParts } from '../native.js';
import { identify, isAlive, ProcessIdentity } from '../supervisor/identity.js';
import { tailLog } from '../supervisor/logs.js';
import { createManaged, type Managed } from '../supervisor/managed.js';
import { findOrphans, markOf } from '../supervisor/orphans.js';
import { killSession } from '../supervisor/spawn.js';
import { isErrno } from './files.js';
import { homeLayout } from './home.js';
import { sharedDataFolder } from './postgres-user.js';
import { loadStackFile } from './state.js';
import { planStack, stackParts, type StackExecutables, type StackPart } from './stack.js';
import type { SearchAttributeType } from './temporal.js';

export interface RunningParts {
  /** addresses of the parts that were asked for; reading those of another part throws a ConfigError */
  readonly config: Config;
  /** what a process of this stack needs in its environment */
  readonly env: Readonly<Record<string, string>>;
}

export interface TestHome {
  readonly home: string;
  /** starts the parts that do not run yet; one call at a time */
  readonly start: (parts: readonly StackPart[]) => Promise<RunningParts>;
  /** ends the parts and removes everything they wrote */
  readonly close: () => Promise<void>;
}

export type TestStack = RunningParts & Pick<TestHome, 'home' | 'close'>;

export interface TestStackOptions {
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  executables?: () => StackExecutables;
}

const prefix = 'perennial-test-';
const ownerFile = 'owner.json';

/**
 * Real parts on free ports with a state folder in the system's temporary folder. They do not wait for the disk, so they start and
 * answer faster than those of `perennial up`. What a killed test run left behind is ended and removed first.
 * @param parts default: all
 */
export async function startTestStack({ parts = stackParts, ...options }: TestStackOptions & { parts?: readonly StackPart[] } = {}): Promise<TestStack> {
  const testHome = await createTestHome(options);
  try {
    return { ...(await testHome.start(parts)), home: testHome.home, close: testHome.close };
  } catch (error) {
    await testHome.close();
    throw error;
  }
}

/** The same, its parts started when they are asked for. */
export async function createTestHome({ searchAttributes, executables }: TestStackOptions = {}): Promise<TestHome> {
  await removeAbandoned();
  const home = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(home, ownerFile), JSON.stringify(identify(process.pid)));
  const layout = homeLayout(home);
  const stack = new Map<string, Managed>();
  let env: Record<string, string> = { PERENNIAL_HOME: home };
  const logOf = (name: string): string => join(layout.logsDir, `${name}.log`);
  return {
    home,
    start: async (parts) => {
      const absent = parts.filter((part) => !stack.has(part));
      const plan = await planStack({ home, parts: absent, env: {}, executables: executables ?? (() => loadNativeParts()), durable: false, ...(searchAttributes === undefined ? {} : { searchAttributes }) });
      for (const program of plan.programs) {
        stack.set(program.name, createManaged(program, { logFile: logOf(program.name), mark: markOf(home, program.name), onEvent: () => undefined, onChange: () => undefined }));
      }
      await Promise.all([...stack.values()].map((part) => untilReady(part, logOf(part.program.name))));
      env = { ...env, ...plan.env };
      return { env, config: loadConfig({ env, need: parts }) };
    },
    close: async () => {
      await Promise.all([...stack.values()].map((part) => part.stop()));
      await removeHome(home);
    },
  };
}

async function untilReady(part: Managed, logFile: string): Promise<void> {
  let waiting = true;
  const failing = (async (): Promise<never> => {
    while (waiting && part.state !== 'crash-looping') await new Promise((settle) => setTimeout(settle, 50));
    throw new Error(`${part.program.name}: ${part.lastFailure ?? 'stopped'}\n${(await tailLog(logFile)).join('\n')}`);
  })();
  failing.catch(() => undefined); // the race reports it
  try {
    await Promise.race([part.started, failing]);
  } finally {
    waiting = false;
  }
}

/** Removes a state folder and what its parts wrote beside it; nothing may run on it any more. */
export async function removeHome(home: string): Promise<void> {
  const { postgresDataDir } = await loadStackFile(homeLayout(home).stackFile);
  if (postgresDataDir !== undefined) await rm(dirname(postgresDataDir), { recursive: true, force: true });
  await rm(sharedDataFolder(home), { recursive: true, force: true });
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Ends and removes stacks whose test run was killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(prefix))) {
    const home = join(tmpdir(), name);
    const owner = await readOwner(home);
    if (owner === undefined || isAlive(owner)) continue;
    for (const { identity } of findOrphans(home, {})) killSession(identity);
    await removeHome(home);
  }
}

async function readOwner(home: string): Promise<ProcessIdentity | undefined> {
  try {
    return ProcessIdentity.parse(JSON.parse(await readFile(join(home, ownerFile), 'utf8')));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** A name that no other test uses: letters and digits, fit for databases, buckets and namespaces. */
export function uniqueName(kind: string): string {
  return `${kind}_${randomBytes(6).toString('hex')}`;
}

