import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { choosePorts } from '../../../infra/stack/ports.js';
import { packageRoot } from '../../../infra/stack/package-root.js';

const run = promisify(execFile);
const STARTED_WITHIN_MS = 120_000;
const ENDED_WITHIN_MS = 10_000;

/** A peer that answers. */
export interface Peer { readonly name: 'mlflow' | 'bentoml'; readonly url: string; readonly path: string; close(): Promise<void> }

const sources = join(packageRoot(), 'bench', 'serving', 'peers');

/** The network of a package as the peers take it, in `folder`. */
export async function convertModel(programs: string, packageDirectory: string, folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true });
  await run(join(programs, 'python'), [join(sources, 'model.py'), packageDirectory, folder], { signal, env: ownEnvironment(programs, folder), maxBuffer: 64e6 });
}

/** MLflow's scoring server as `mlflow models serve` starts it. */
export const startMlflow = (programs: string, folder: string, signal: AbortSignal): Promise<Peer> =>
  start({ name: 'mlflow', path: '/invocations', health: '/ping' }, (port) => [join(programs, 'mlflow'), ['models', 'serve', '--model-uri', join(folder, 'mlflow'), '--env-manager', 'local', '--host', '127.0.0.1', '--port', String(port)]], programs, folder, signal);

/** BentoML with batches of up to 32, as ours. */
export const startBento = (programs: string, folder: string, signal: AbortSignal): Promise<Peer> =>
  start({ name: 'bentoml', path: '/predict', health: '/readyz' }, (port) => [join(programs, 'bentoml'), ['serve', 'service:CarTruck', '--working-dir', sources, '--host', '127.0.0.1', '--port', String(port)]], programs, folder, signal);

async function start({ name, path, health }: { name: Peer['name']; path: string; health: string }, command: (port: number) => readonly [string, readonly string[]], programs: string, folder: string, signal: AbortSignal): Promise<Peer> {
  const { port } = await choosePorts(['port'], undefined, { home: folder });
  const [program, args] = command(port);
  // A process group of its own: both start others, which end with it.
  const child = spawn(program, args, { cwd: folder, env: ownEnvironment(programs, folder), stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-2_000); });
  const ended = once(child, 'exit');
  const endGroup = (how: 'SIGTERM' | 'SIGKILL') => { if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, how); };
  const onAbort = () => { endGroup('SIGKILL'); };
  signal.addEventListener('abort', onAbort);
  const close = async () => {
    endGroup('SIGTERM');
    await Promise.race([ended, sleep(ENDED_WITHIN_MS)]);
    endGroup('SIGKILL');
    await ended;
    signal.removeEventListener('abort', onAbort);
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    for (const until = performance.now() + STARTED_WITHIN_MS; ;) {
      signal.throwIfAborted();
      if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}: ${said}`);
      if (await fetch(`${url}${health}`).then((response) => response.ok, () => false)) return { name, url, path, close };
      if (performance.now() > until) throw new Error(`${name} did not answer within ${STARTED_WITHIN_MS / 1_000} s: ${said}`);
      await sleep(250);
    }
  } catch (error) {
    await close();
    throw error;
  }
}

/** Nothing of ours, nothing sent home, and every file below `folder`. */
function ownEnvironment(programs: string, folder: string): NodeJS.ProcessEnv {
  return {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`, HOME: folder, LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1', PERENNIAL_BENCH_MODEL: join(folder, 'model.keras'),
    MLFLOW_TRACKING_URI: `sqlite:///${join(folder, 'mlflow.db')}`, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', BENTOML_DO_NOT_TRACK: 'True', BENTOML_HOME: join(folder, 'bentoml'),
  };
}
