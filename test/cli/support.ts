import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../cli/program.js';
import type { Io } from '../../cli/io.js';

export interface Ran { readonly code: number; readonly out: string; readonly err: string; readonly ms: number }
export interface CliHome {
  readonly home: string;
  readonly folder: string;
  /** Runs one command line in this process, as `perennial` does. */
  run(args: readonly string[], io?: Partial<Pick<Io, 'isTerminal' | 'ask' | 'cwd'>>): Promise<Ran>;
  close(): Promise<void>;
}

/** A state folder that knows a gateway's address and a token, and nothing else. */
export async function createCliHome(gatewayUrl: string, token: string | null): Promise<CliHome> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-cli-'));
  const home = join(folder, '.perennial');
  await mkdir(join(home, 'secrets'), { recursive: true });
  if (token !== null) await writeFile(join(home, 'secrets', 'cli-token'), `${token}\n`, { mode: 0o600 });
  const env = { PATH: process.env['PATH'], HOME: folder, PERENNIAL_HOME: home, PERENNIAL_GATEWAY_URL: gatewayUrl };
  await writeFile(join(home, 'stack.json'), JSON.stringify({ v: 1, env: { PERENNIAL_GATEWAY_URL: gatewayUrl }, ports: {} }), { mode: 0o600 });
  return {
    home, folder,
    async run(args, io = {}) {
      let [out, err] = ['', ''];
      const begun = Date.now();
      const code = await runCommandLine(args, { out: (text) => { out += text; }, err: (text) => { err += text; }, isTerminal: false, columns: 120, env, cwd: folder, ask: null, ...io });
      return { code, out, err, ms: Date.now() - begun };
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
