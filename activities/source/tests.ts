import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { PerennialError } from '../../contract/errors.js';
import { bundleTest } from '../../runtime/definition/bundle.js';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;
const SAID = 4_000;

/** Runs the team's own tests (`*.test.ts`, with `node:test`) in a child process without credentials; throws `repository/tests-failed` with what they said. */
export async function runRepositoryTests({ checkout, signal }: { checkout: string; signal: AbortSignal }): Promise<{ files: number }> {
  const files = (await readdir(checkout, { recursive: true })).filter((file) => /\.test\.(ts|mts|js|mjs)$/.test(file) && !file.split('/').includes('node_modules')).sort();
  if (files.length === 0) return { files: 0 };
  const directory = await mkdtemp(join(tmpdir(), 'perennial-tests-'));
  try {
    const bundles = [];
    for (const [index, file] of files.entries()) {
      const { code } = await bundleTest({ checkout, file });
      const target = join(directory, `${index}-${file.replaceAll('/', '-')}.mjs`);
      await writeFile(target, code);
      bundles.push(target);
    }
    await run(process.execPath, ['--test', '--test-reporter=spec', ...bundles], {
      cwd: directory, signal, timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: directory, TZ: 'UTC', LANG: 'C.UTF-8' },
    });
    return { files: files.length };
  } catch (error) {
    if (signal.aborted || error instanceof PerennialError) throw error;
    const { stdout = '', stderr = '', killed = false } = error as { stdout?: string; stderr?: string; killed?: boolean };
    throw new PerennialError('repository/tests-failed', `${killed ? 'the tests did not end in 2 minutes' : 'the repository\'s own tests failed'}:\n${`${stdout}\n${stderr}`.trim().slice(-SAID)}`, {}, { cause: error });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
