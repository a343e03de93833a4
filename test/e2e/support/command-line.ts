import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../../infra/stack/package-root.js';
import type { RunningHome } from './running-home.js';

export interface Said { readonly code: number | null; readonly out: string; readonly err: string }

/** `perennial …` as people start it: a process of its own. */
export async function commandLine({ io }: RunningHome, ...args: string[]): Promise<Said> {
  const child = spawn(process.execPath, [join(packageRoot(), 'infra', 'bin', 'perennial.mjs'), ...args], { env: io.env, cwd: io.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((settle, fail) => child.once('close', settle).once('error', fail));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}
