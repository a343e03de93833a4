import { access, constants, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readPage, root } from '../docs/support.js';
import { packTarball, run, unpackTarball } from './support.js';

const Manifest = z.object({ version: z.string(), bin: z.record(z.string(), z.string()), exports: z.object({ '.': z.record(z.string(), z.string()) }), dependencies: z.record(z.string(), z.string()) });
const Report = z.object({ ok: z.boolean(), findings: z.array(z.object({ name: z.string(), state: z.string(), found: z.string() })) });

/** The tarball, unpacked where npm would put it, beside the dependencies that it names and none else. Really installed it is in install.full.ts. */
let scratch = '';
let installed = '';
let files: string[] = [];
let manifest: z.infer<typeof Manifest>;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'perennial-package-'));
  installed = join(scratch, 'node_modules', 'perennial');
  await unpackTarball(await packTarball(scratch), installed);
  files = (await readdir(installed, { recursive: true, withFileTypes: true })).filter((item) => item.isFile()).map((item) => relative(installed, join(item.parentPath, item.name))).sort();
  manifest = Manifest.parse(JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')));
  for (const name of Object.keys(manifest.dependencies)) {
    const place = join(scratch, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(root, 'node_modules', name), place);
  }
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

/** The files of the package whose text can hold something. */
const texts = () => Promise.all(files.map(async (file) => ({ file, text: await readFile(join(installed, file), 'utf8') })));

describe('the package', () => {
  it('holds what its package.json names: the command, executable, and the public API with its types', async () => {
    for (const target of [...Object.values(manifest.bin), ...Object.values(manifest.exports['.'])]) expect(files).toContain(relative('.', target));
    for (const target of Object.values(manifest.bin)) await expect(access(join(installed, target), constants.X_OK)).resolves.toBeUndefined();
  });

  it('holds every program compiled, the workflows in one file, migrations, set-up, documentation and the example', async () => {
    const rooms = (JSON.parse(readPage('tsconfig.build.json')) as { include: string[] }).include.filter((room) => room !== 'bench');
    const sources = (await Promise.all(rooms.map(async (room) => (await readdir(join(root, room), { recursive: true })).filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')).map((file) => join('dist', room, file.replace(/\.ts$/, '.js')))))).flat();
    const beside = ['dist/workflow-bundle.js', 'infra/setup/native-npm/package-lock.json', 'infra/setup/unpack.py', 'README.md'];
    const others = (await Promise.all(['infra/migrations', 'docs'].map(async (folder) => (await readdir(join(root, folder))).map((file) => join(folder, file))))).flat();
    const examples = (await run('git', ['ls-files', 'examples'], { cwd: root })).stdout.trim().split('\n').filter((file) => !file.endsWith('.gitignore')); // npm packs none
    expect(sources.length).toBeGreaterThan(200);
    expect([...sources, ...beside, ...others, ...examples].filter((file) => !files.includes(file))).toEqual([]);
  });

  it('holds nothing else: no tests, benchmarks, sources of its own, source maps, hidden files', () => {
    const known = /^(dist\/(?!test\/|bench\/)[^.].*\.(js|d\.ts)|infra\/(bin\/perennial\.mjs|setup\/.+\.(mjs|mts|py|json)|migrations\/\d+_\w+\.sql)|examples\/.+|docs\/\w+\.md|README\.md|LICENSE|package\.json)$/;
    expect(files.filter((file) => !known.test(file) || /(^|\/)\.|^(?!examples\/).*\.(test|full)\.|\.map$/.test(file))).toEqual([]);
  });

  it('holds no key, token or password, and no path of the machine that made it', async () => {
    const secret = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}|\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|npm_\w{36})\b/;
    const here = [root, ...(homedir() === '/' ? [] : [`${homedir()}/`])];
    expect((await texts()).filter(({ text }) => secret.test(text) || here.some((path) => text.includes(path))).map(({ file }) => file)).toEqual([]);
  });

  it('imports only packages that it depends on', async () => {
    const allowed = new Set([...Object.keys(manifest.dependencies), 'perennial']);
    const imports = (await texts()).filter(({ file }) => /\.m?js$/.test(file) && file !== 'dist/workflow-bundle.js').flatMap(({ file, text }) => [...text.matchAll(/(?:^(?:import|export) (?:[^'"]* from )?|\bimport\()['"]([^'".][^'"]*)['"]/gm)].map((match) => ({ file, name: match[1] ?? '' })));
    const nameOf = (specifier: string) => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
    expect(imports.length).toBeGreaterThan(300);
    expect(imports.filter(({ name }) => !isBuiltin(name) && !allowed.has(nameOf(name)))).toEqual([]);
  });
});

describe('installed without the development dependencies', () => {
  const command = (...args: string[]) => run(process.execPath, [join(installed, 'infra', 'bin', 'perennial.mjs'), ...args], { cwd: scratch });

  it('the command runs', async () => {
    expect((await command('--version')).stdout.trim()).toBe(manifest.version);
    expect((await command('--help')).stdout).toMatch(/^ {2}approve /m);
  });

  it('doctor finds the package whole', async () => {
    const report = Report.parse(JSON.parse((await command('doctor', '--json')).stdout));
    expect(report.findings.filter(({ name }) => ['npm dependencies', 'build'].includes(name))).toEqual([
      { name: 'npm dependencies', state: 'ok', found: 'there' }, { name: 'build', state: 'ok', found: 'shipped' },
    ]);
    expect(report.findings.filter(({ state }) => state === 'missing')).toEqual([]);
    expect(report.ok).toBe(true);
  });

  it('a definition imports the package by name', async () => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', "import { layers } from 'perennial'; console.log(JSON.stringify(layers.flatten()))"], { cwd: scratch });
    expect(JSON.parse(stdout)).toMatchObject({ className: 'Flatten' });
  });
});
