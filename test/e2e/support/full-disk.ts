import { execFile, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../../infra/stack/package-root.js';
import { readStatus } from '../../../infra/supervisor/read-status.js';
import type { RunningHome } from './running-home.js';

const run = promisify(execFile);
const PRIVATE = ['--mount', '--propagation', 'private'] as const;

/** Whether a small disk can be mounted here, in a name space of its own: that takes root, and `unshare`. */
export function canMount(): boolean {
  return spawnSync('unshare', [...PRIVATE, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
}

export interface WorkerOnSmallDisk {
  /** Makes room, as an operator does. */
  enlarge(size: string): Promise<void>;
  /** Ends it; the supervisor starts its own compute worker again. */
  close(): Promise<void>;
}

/**
 * The home's compute worker, with a disk of `size` mounted at a folder of its scratch. The supervisor is stopped meanwhile
 * (SIGSTOP), so that it starts none of its own; the mount is in a name space that ends with the worker.
 */
export async function startOnSmallDisk(home: RunningHome, folder: string, size: string): Promise<WorkerOnSmallDisk> {
  const disk = join(home.home, 'scratch', folder);
  const supervisor = (await readStatus(home.home)).status?.pid;
  if (supervisor === undefined) throw new Error(`no supervisor runs on ${home.home}`);
  process.kill(supervisor, 'SIGSTOP');
  const killed = await home.kill('compute');
  const mountAndRun = 'mkdir -p "$1" && mount -t tmpfs -o "size=$2,mode=0700" tmpfs "$1" && exec "$3" "$4"';
  const worker = spawn('unshare', [...PRIVATE, 'sh', '-c', mountAndRun, 'sh', disk, size, process.execPath, join(packageRoot(), 'dist', 'workers', 'compute.js')], { env: home.io.env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((settle) => worker.once('close', () => settle()));
  const close = async () => {
    worker.kill('SIGTERM');
    await ended;
    process.kill(supervisor, 'SIGCONT');
    await home.untilBack('compute', killed);
  };
  const ready = new Promise<void>((settle) => worker.stdout.on('data', (chunk: Buffer) => { if (chunk.includes('ready')) settle(); }));
  await Promise.race([ready, ended.then(async () => {
    process.kill(supervisor, 'SIGCONT');
    throw new Error('the compute worker ended before it was ready');
  })]);
  return {
    enlarge: async (to) => { await run('nsenter', ['--target', String(worker.pid), '--mount', 'mount', '-o', `remount,size=${to}`, disk]); },
    close,
  };
}
