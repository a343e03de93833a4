import { existsSync } from 'node:fs';
import { packageRoot } from './package-root.js';
import { loopback } from './ports.js';
import { greeting } from './probes.js';
import { bareEnvironment, type Program } from './program.js';
import { join } from 'node:path';

export const smtpPorts = ['smtp'] as const;

/** A mail server that keeps mails as files instead of sending them. */
export function smtpProgram({ mailDir, port }: { mailDir: string; port: number }): Program {
  const entry = join(packageRoot(), 'dist', 'infra', 'smtp', 'main.js');
  return {
    name: 'smtp',
    stage: 0,
    kind: 'service',
    command: process.execPath,
    args: ['--max-old-space-size=64', entry, '--port', String(port), '--dir', mailDir],
    env: bareEnvironment(mailDir),
    cwd: mailDir,
    prepare: async () => {
      if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\``);
    },
    readiness: { kind: 'probe', check: async () => (await greeting(loopback, port)).startsWith('220') },
    readyTimeoutMs: 30_000,
    stopSignal: 'SIGTERM',
    graceMs: 5_000,
  };
}
