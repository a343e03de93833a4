import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { packageRoot } from '../../infra/stack/package-root.js';
import { COMPUTE_ARGUMENTS } from '../../infra/supervisor/node-arguments.js';
import { builtFile } from '../../runtime/child/program-path.js';
import type { BenchContext } from '../benchmark.js';

const run = promisify(execFile);
const PEER = 'great_expectations==1.24.1';

const Result = z.looseObject({ passed: z.int(), judged: z.int(), peakBytes: z.number() });
/** One process from its start to its end. */
export interface Measured { readonly seconds: number; readonly peakBytes: number }

/** Great Expectations in an environment of its own, kept in the cache between runs; gives its Python. */
export async function preparePeer(cache: string, { signal, say }: BenchContext): Promise<string> {
  const folder = join(cache, `bench-${PEER.replace('==', '-')}`);
  const python = join(folder, 'bin', 'python');
  const ready = join(folder, 'ready');
  const there = await access(ready).then(() => true, () => false);
  if (there) return python;
  say(`installing ${PEER} with pip, once`);
  await run('python3', ['-m', 'venv', '--clear', folder], { signal });
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PEER, 'pyarrow'], { signal, maxBuffer: 64e6 });
  await run('touch', [ready], { signal });
  return python;
}

export function measurePeer(python: string, file: string, expectations: string, signal: AbortSignal): Promise<Measured> {
  return measure(python, [join(packageRoot(), 'bench', 'data', 'peer.py'), file, expectations], signal);
}

/** Started as the compute worker is, where profiles are made. */
export function measureOurs(file: string, expectations: string, profile: boolean, signal: AbortSignal): Promise<Measured> {
  return measure(process.execPath, [...COMPUTE_ARGUMENTS, builtFile('bench/data/ours.js'), file, expectations, ...(profile ? ['profile'] : [])], signal);
}

async function measure(program: string, args: readonly string[], signal: AbortSignal): Promise<Measured> {
  const began = performance.now();
  const { stdout } = await run(program, [...args], { signal, maxBuffer: 64e6 });
  const seconds = (performance.now() - began) / 1_000;
  const { passed, judged, peakBytes } = Result.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  if (judged !== 58 || passed !== judged) throw new Error(`${program} found ${passed} of ${judged} expectations met; all 58 hold`);
  return { seconds, peakBytes };
}
