import { createInterface } from 'node:readline/promises';
import { addDemoCommand } from './demo/index.js';
import type { Io } from './io.js';
import { runCommandLine } from './program.js';

/** The command line as a process: `infra/bin/perennial.mjs` imports it. */
const isTerminal = process.stdout.isTTY;
const io: Io = {
  out: (text) => { process.stdout.write(text); },
  err: (text) => { process.stderr.write(text); },
  isTerminal, columns: isTerminal ? process.stdout.columns : 120, env: process.env, cwd: process.cwd(),
  ask: isTerminal && process.stdin.isTTY ? ask : null,
  onInterrupt,
};

/** The second time the process ends as ever. */
function onInterrupt(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const release = () => { for (const signal of signals) process.off(signal, once); };
  const once = () => { release(); listener(); };
  for (const signal of signals) process.on(signal, once);
  return release;
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error; });
process.exitCode = await runCommandLine(process.argv.slice(2), io, [addDemoCommand]);
