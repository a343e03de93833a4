import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installCommitHook } from '../../cli/commit-hook.js';
import { pixelsOf } from '../../cli/picture.js';
import { table } from '../../cli/table.js';
import { createCliHome, type CliHome } from './support.js';

/** Nothing listens on this port. */
const NOBODY = 'http://127.0.0.1:1';
let cli: CliHome;
beforeAll(async () => { cli = await createCliHome(NOBODY, 'pnl_test'); });
afterAll(() => cli.close());

const ErrorOf = (out: string) => (JSON.parse(out) as { error: { code: string; message: string; next: string } }).error;

test.each([
  [['nonsense'], 'unknown command'], [['show'], 'what'], [['runs', '--bogus'], '--bogus'], [['runs', '--status', 'asleep'], '--status'],
  [['rollback', 'car-truck'], '--reason'], [['served-at', 'car-truck', '2026-11-21T09:00:00'], 'offset'], [['release', 'car-truck'], 'model@number'], [['reproduce', 'car-truck'], 'model@number'], [['reproduce', 'car-truck@1', '--tolerance', 'much'], '--tolerance'],
  [['show', 'car-truck', '--until', 'noon'], '--until'], [['principal', 'grant', 'ada', 'king'], 'king'], [['up', '--only', 'everything'], '--only'], [['init', 'x', '--kind', 'video'], '--kind'],
] as const)('wrong usage %j ends with 2 and says what is wrong', async (args, said) => {
  const { code, err } = await cli.run(args);
  expect([code, err]).toEqual([2, expect.stringContaining(said)]);
});

test('help is no failure, and names every command', async () => {
  const { code, out } = await cli.run(['--help']);
  expect(code).toBe(0);
  for (const name of ['up', 'down', 'status', 'init', 'try', 'run', 'runs', 'show', 'approve', 'reject', 'release', 'rollback', 'pause', 'resume', 'predict', 'label', 'retrain', 'score', 'served-at', 'audit', 'reproduce', 'monitor', 'repository', 'principal', 'location', 'environment', 'hook', 'ledger']) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
});

test('with nothing up, a command ends with 1 and names the part and the next step, also as JSON', async () => {
  const plain = await cli.run(['runs']);
  expect([plain.code, plain.out]).toEqual([1, '']);
  expect(plain.err).toContain(`the gateway at ${NOBODY} does not answer`);
  expect(plain.err).toContain('next: Start it with `perennial up`');
  const json = await cli.run(['runs', '--json']);
  expect([json.code, ErrorOf(json.out).code]).toEqual([1, 'gateway/unavailable']);
});

test('a rollback without a gateway says that nothing changed and what to start', async () => {
  const { code, err } = await cli.run(['rollback', 'car-truck', '--reason', 'worse']);
  expect(code).toBe(1);
  expect(err).toContain('nothing was rolled back, and the servers go on');
  expect(err).toContain('a rollback needs it and PostgreSQL, not Temporal');
});

test('status tells what is away and ends with 1', async () => {
  const { code, out } = await cli.run(['status', '--json']);
  expect([code, (JSON.parse(out) as { away: string[] }).away]).toEqual([1, ['gateway']]);
});

test('a gateway that takes the connection and says nothing is given up within 5 s', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((settle) => silent.listen(0, '127.0.0.1', settle));
  const other = await createCliHome(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, 'pnl_test');
  try {
    const { code, err, ms } = await other.run(['show', 'car-truck-r1']);
    expect([code, err]).toEqual([1, expect.stringContaining('did not answer within 5 s')]);
    expect(ms).toBeLessThan(20_000); // the process is started and read too
  } finally {
    silent.close();
    await other.close();
  }
});

test('without a token it says where one is made', async () => {
  const other = await createCliHome(NOBODY, null);
  const { code, err } = await other.run(['runs']);
  await other.close();
  expect([code, err]).toEqual([1, expect.stringContaining('cli-token')]);
});

test.each(['images', 'table'])('init writes a %s repository once, and never over one that is there', async (kind) => {
  const first = await cli.run(['init', `new-${kind}`, '--kind', kind, '--json']);
  expect(first.code).toBe(0);
  const files = await readdir(join(cli.folder, `new-${kind}`));
  expect(files.sort()).toEqual(['.gitignore', 'README.md', `new-${kind}.model.ts`, `new-${kind}.test.ts`, 'package.json'].sort());
  expect(await readFile(join(cli.folder, `new-${kind}`, `new-${kind}.model.ts`), 'utf8')).toContain(`name: 'new-${kind}'`);
  const second = await cli.run(['init', `new-${kind}`, '--kind', kind]);
  expect([second.code, second.err]).toEqual([1, expect.stringContaining('nothing was written')]);
});

async function repository(name: string): Promise<{ folder: string; git: (...args: string[]) => string }> {
  const folder = join(cli.folder, name);
  await mkdir(folder);
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return { folder, git };
}

test('the commit hook keeps the one that was there, calls it first, and never breaks a commit', async () => {
  const { folder, git } = await repository('hooked');
  const earlier = join(folder, '.git', 'hooks', 'post-commit');
  await mkdir(join(folder, '.git', 'hooks'), { recursive: true });
  await writeFile(earlier, '#!/bin/sh\necho called >> "$(git rev-parse --show-toplevel)/earlier.log"\nexit 3\n');
  await chmod(earlier, 0o755);
  const installed = await installCommitHook(folder, 'it\'s hooked', cli.home);
  expect([installed.installed, installed.kept]).toEqual([true, join(folder, '.git', 'hooks', 'post-commit.before-perennial')]);
  await installCommitHook(folder, 'it\'s hooked', cli.home); // again: the earlier one is still the earlier one
  git('commit', '--quiet', '--allow-empty', '-m', 'first'); // throws where the commit fails
  expect(git('log', '--format=%s')).toBe('first');
  expect(await readFile(join(folder, 'earlier.log'), 'utf8')).toBe('called\n');
  expect((await stat(installed.file)).mode & 0o111).not.toBe(0);
});

test('hooks that git keeps outside the repository are left alone', async () => {
  const { folder, git } = await repository('elsewhere');
  const shared = join(cli.folder, 'shared-hooks');
  await mkdir(shared);
  git('config', 'core.hooksPath', shared);
  expect((await installCommitHook(folder, 'elsewhere', cli.home)).installed).toBe(false);
  expect(await readdir(shared)).toEqual([]);
});

test('hook commit ends with 0 when nobody can be told', async () => {
  const { folder, git } = await repository('untold');
  git('commit', '--quiet', '--allow-empty', '-m', 'first');
  const { code, err } = await cli.run(['hook', 'commit', '--repository', 'untold'], { cwd: folder });
  expect([code, err]).toEqual([0, expect.stringContaining('the commit is made; Perennial was not told')]);
});

test('a table lines up with colours in it, numbers to the right', () => {
  expect(table(['NAME', 'N'], [['\u001b[31mred\u001b[0m', 5], ['longer', 1234]])).toBe('NAME       N\n\u001b[31mred\u001b[0m        5\nlonger  1234');
});

test('a picture of another size is refused with both sizes', async () => {
  const { encode } = await import('fast-png');
  const grey = encode({ width: 2, height: 1, channels: 1, depth: 8, data: new Uint8Array([0, 200]) });
  expect(await pixelsOf(grey, { height: 1, width: 2, channels: 3 })).toEqual({ shape: [1, 2, 3], pixels: [0, 0, 0, 200, 200, 200] });
  expect(await pixelsOf(grey, { height: -1, width: -1, channels: 1 })).toEqual({ shape: [1, 2, 1], pixels: [0, 200] });
  expect((await pixelsOf(encode({ width: 1, height: 1, channels: 4, depth: 8, data: new Uint8Array([1, 2, 3, 255]) }), { height: 1, width: 1, channels: 3 })).pixels).toEqual([1, 2, 3]);
  await expect(pixelsOf(grey, { height: 32, width: 32, channels: 3 })).rejects.toThrow('the picture is 2 × 1 pixels, the model takes 32 × 32');
});
