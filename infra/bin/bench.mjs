#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../setup/package-root.mjs';

const entry = join(packageRoot, 'dist', 'bench', 'main.js');
if (existsSync(entry)) {
  await import(pathToFileURL(entry).href);
} else {
  process.stderr.write(`The benchmarks are not built (${entry} is not there): run npm run setup.\n`);
  process.exitCode = 1;
}
