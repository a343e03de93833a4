#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isCheckout, packageRoot } from '../setup/package-root.mjs';

/** Commands that start the embedded parts: they set up first, so that one command is enough on a fresh machine. */
const STARTING = ['up', 'demo', 'try'];

async function runCli(command) {
  const { setUp } = await import('../setup/main.mjs');
  const help = process.argv.includes('--help') || process.argv.includes('-h');
  if (STARTING.includes(command) && !help) {
    const code = await setUp({ quiet: true });
    if (code !== 0) return code;
  }
  const entry = join(packageRoot, 'dist', 'cli', 'main.js');
  const remedy = isCheckout() ? 'run npm run setup, then try again' : 'install the package again; perennial doctor says more';
  if (!existsSync(entry)) {
    process.stderr.write(`Perennial is not built (${entry} is not there): ${remedy}.\n`);
    return 1;
  }
  try {
    await import(pathToFileURL(entry).href);
  } catch (error) {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write(`Perennial is not wholly there (${error.message.split('\n')[0]}): ${remedy}.\n`);
    return 1;
  }
  return process.exitCode ?? 0;
}

/** `doctor` and `setup` need neither the build nor any dependency; everything else is the built command line. */
async function main([command = '', ...rest]) {
  switch (command) {
    case 'setup':
      return (await import('../setup/main.mjs')).main(rest);
    case 'doctor':
      return (await import('../setup/doctor.mjs')).main(rest);
    default:
      return runCli(command);
  }
}

process.exitCode = await main(process.argv.slice(2));
