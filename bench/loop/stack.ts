import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isErrno } from '../../infra/stack/files.js';
import { homeLayout } from '../../infra/stack/home.js';
import { sharedDataFolder } from '../../infra/stack/postgres-user.js';
import { loadStackFile } from '../../infra/stack/state.js';
import { down } from '../../infra/supervisor/down.js';
import { identify, isAlive, ProcessIdentity } from '../../infra/supervisor/identity.js';
import { up } from '../../infra/supervisor/up.js';
import type { BenchContext } from '../benchmark.js';

const prefix = 'perennial-bench-loop-';
const ownerFile = 'owner.json';

/** A whole stack as `perennial up` starts it, with a state folder of its own. */
export interface BenchStack { readonly home: string; /** For whoever talks with it. */ readonly env: NodeJS.ProcessEnv; close(): Promise<void> }

/** Starts it, after removing what a benchmark that was killed left behind. */
export async function startBenchStack({ signal, say }: BenchContext): Promise<BenchStack> {
  await removeAbandoned();
  signal.throwIfAborted();
  const home = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(home, ownerFile), JSON.stringify(identify(process.pid)));
  const env = { ...ownParts(process.env), PERENNIAL_HOME: home };
  try {
    say('starting a stack of its own');
    await up({ home, detach: true, env });
  } catch (error) {
    await remove(home);
    throw error;
  }
  return { home, env, close: () => remove(home) };
}

/** Without addresses of other people's parts: the benchmark measures its own, and writes to nobody else's. */
function ownParts(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(TEMPORAL|S3|AWS|SMTP)_|^(DATABASE_URL|PUBLIC_URL)$/.test(name) && (!name.startsWith('PERENNIAL_') || name === 'PERENNIAL_CACHE')));
}

async function remove(home: string): Promise<void> {
  await down({ home });
  const { postgresDataDir } = await loadStackFile(homeLayout(home).stackFile);
  if (postgresDataDir !== undefined) await rm(dirname(postgresDataDir), { recursive: true, force: true });
  await rm(sharedDataFolder(home), { recursive: true, force: true });
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

async function removeAbandoned(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(prefix))) {
    const home = join(tmpdir(), name);
    const owner = await ownerOf(home);
    if (owner !== undefined && !isAlive(owner)) await remove(home);
  }
}

/** Undefined where nobody can be named: then nothing is removed. */
async function ownerOf(home: string): Promise<ProcessIdentity | undefined> {
  try {
    return ProcessIdentity.parse(JSON.parse(await readFile(join(home, ownerFile), 'utf8')));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
