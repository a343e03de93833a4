import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ensurePrivateFolder } from './files.js';

/** Where everything of one installation lies, below its state folder `.perennial/`. */
export interface HomeLayout {
  dir: string;
  stackFile: string;
  lockFile: string;
  pidsFile: string;
  statusFile: string;
  secretsDir: string;
  logsDir: string;
  mailDir: string;
  dataDir: string;
}

export function homeLayout(home: string): HomeLayout {
  const dir = resolve(home);
  return {
    dir,
    stackFile: join(dir, 'stack.json'),
    lockFile: join(dir, 'supervisor.lock'),
    pidsFile: join(dir, 'pids.json'),
    statusFile: join(dir, 'status.json'),
    secretsDir: join(dir, 'secrets'),
    logsDir: join(dir, 'logs'),
    mailDir: join(dir, 'mail'),
    dataDir: join(dir, 'data'),
  };
}

/** Creates the state folder and its parts, readable by their owner only. Safe to repeat. */
export async function ensureHome(home: string): Promise<HomeLayout> {
  const layout = homeLayout(home);
  for (const folder of [layout.dir, layout.secretsDir, layout.logsDir, layout.mailDir, layout.dataDir]) await ensurePrivateFolder(folder);
  return layout;
}

/**
 * The state folder: `PERENNIAL_HOME`, else the nearest `.perennial/` in `cwd` or above it (as git finds its own), else the
 * one in the user's home folder, else the place where `perennial up` would make one: `.perennial/` in `cwd`.
 */
export function findHome(env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): string {
  if (env['PERENNIAL_HOME']) return resolve(cwd, env['PERENNIAL_HOME']);
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const candidate = join(folder, '.perennial');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) break;
  }
  const ofUser = join(env['HOME'] ?? homedir(), '.perennial');
  return existsSync(ofUser) ? ofUser : join(resolve(cwd), '.perennial');
}
