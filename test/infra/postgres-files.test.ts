import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadNativeParts } from '../../infra/native.js';
import { homeLayout } from '../../infra/stack/home.js';
import { planStack } from '../../infra/stack/stack.js';
import { loadStackFile } from '../../infra/stack/state.js';
import { removeHome } from '../../infra/stack/testing.js';

const isRoot = process.getuid?.() === 0;
let home = '';
afterEach(() => removeHome(home));

// Only for root do PostgreSQL's files lie outside of the state folder, and outlive it.
test.runIf(isRoot)('files of a state folder that was removed are set aside, those of one that is there are used again', async () => {
  home = await mkdtemp(join(tmpdir(), 'perennial-files-'));
  const plan = async () => {
    const { notes } = await planStack({ home, parts: ['postgres'], env: {}, executables: loadNativeParts });
    return { notes, folder: (await loadStackFile(homeLayout(home).stackFile)).postgresDataDir ?? '' };
  };
  const first = await plan();
  await mkdir(first.folder, { recursive: true });
  await writeFile(join(first.folder, 'PG_VERSION'), 'of the first');

  await rm(homeLayout(home).stackFile);
  expect((await plan()).notes.join()).not.toContain('former');
  expect(await readFile(join(first.folder, 'PG_VERSION'), 'utf8')).toBe('of the first');

  await rm(home, { recursive: true });
  const second = await plan();
  expect(second.folder).toBe(first.folder);
  expect(second.notes.join()).toContain(`${first.folder}.former-1`);
  expect((await readdir(dirname(first.folder))).sort()).toEqual(['postgres.former-1']);
});
