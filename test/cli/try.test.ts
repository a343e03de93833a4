import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleTablesFolder } from '../../infra/setup/example-tables.mjs';
import { builtFile, packageRoot } from '../../runtime/child/program-path.js';

let home: string;
beforeAll(async () => { home = await mkdtemp(join(tmpdir(), 'perennial-try-')); });
afterAll(() => rm(home, { recursive: true }));

/** `perennial try` of an example, where nothing runs and no address is known. */
function tryTitanic(...more: string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|AWS|S3|SMTP|DATABASE|PERENNIAL_(?!CACHE))/.test(name)));
  return spawnSync(process.execPath, [builtFile('workers/try.js'), '--dir', join(packageRoot(), 'examples', 'titanic'), '--rows', '100', ...more], { env: { ...env, PERENNIAL_HOME: home }, encoding: 'utf8' });
}

test('without anything that runs, a location has to be said, which is told; then nothing has to run', () => {
  const { status, stdout, stderr } = tryTitanic();
  expect(status).toBe(1);
  expect(stdout).toMatch(/^titanic {2}titanic\.model\.ts/);
  expect(stderr).toContain('where the location tables is, nobody can be asked: say `--location tables=<folder or s3://…>`');
  expect(stderr).not.toMatch(/ECONNREFUSED|127\.0\.0\.1:1\b/);

  const given = tryTitanic('--location', `tables=file://${exampleTablesFolder()}`);
  expect(given.status, given.stderr).toBe(0);
  expect(given.stdout).toMatch(/891 rows read/);
});
