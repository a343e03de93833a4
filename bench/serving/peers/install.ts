import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchContext } from '../../benchmark.js';

const run = promisify(execFile);

/** With the TensorFlow that our runners use. */
const PINNED = { mlflow: '3.17.2', bentoml: '1.4.39', 'tensorflow-cpu': '2.20.0', keras: '3.15.1' } as const;

/** The benchmark has other figures, and a limit of its own. */
const WITHIN_MS = 6 * 60_000;

/** MLflow and BentoML in an environment of their own (2.2 GB), kept in the cache between runs; gives its folder of programs, or null where they cannot be installed. */
export async function installPeers(cache: string, { signal: whole, say }: BenchContext): Promise<string | null> {
  const folder = join(cache, `bench-serving-mlflow-${PINNED.mlflow}-bentoml-${PINNED.bentoml}`);
  const programs = join(folder, 'bin');
  const ready = join(folder, 'ready');
  if (await access(ready).then(() => true, () => false)) return programs;
  const signal = AbortSignal.any([whole, AbortSignal.timeout(WITHIN_MS)]);
  say('installing MLflow, BentoML and TensorFlow with pip, once (some minutes)');
  try {
    await run('python3', ['-m', 'venv', '--clear', folder], { signal });
    await run(join(programs, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...Object.entries(PINNED).map(([name, version]) => `${name}==${version}`)], { signal, maxBuffer: 64e6 });
    await writeFile(ready, '');
    return programs;
  } catch (error) {
    whole.throwIfAborted();
    const why = signal.aborted ? `not within ${WITHIN_MS / 60_000} minutes` : error instanceof Error ? error.message.trim().split('\n').at(-1) ?? '' : String(error);
    say(`MLflow and BentoML cannot be installed here, and are left out: ${why}`);
    return null;
  }
}

export const peerVersions = `MLflow ${PINNED.mlflow}, BentoML ${PINNED.bentoml}, TensorFlow ${PINNED['tensorflow-cpu']}`;
