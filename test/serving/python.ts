import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A script beside the tests, run by a Python that has these packages in an environment of its own in `folder`; gives the JSON that it prints. */
export async function pythonWith(folder: string, packages: readonly string[]): Promise<(script: string, parameters: readonly string[]) => Promise<unknown>> {
  const environment = join(folder, 'python');
  await run('python3', ['-m', 'venv', environment]);
  const python = join(environment, 'bin', 'python');
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
  return async (script, parameters) => JSON.parse((await run(python, [new URL(script, import.meta.url).pathname, ...parameters])).stdout) as unknown;
}
