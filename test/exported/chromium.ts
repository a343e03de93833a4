import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { cacheRoot } from '../../infra/setup/cache.mjs';

/** A real browser that comes through npm, for x64; only the tests of `--full` fetch it (70 MB), into the cache of the native parts. */
const CHROMIUM = { name: '@sparticuz/chromium', version: '153.0.0', integrity: 'sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==' } as const;
const run = promisify(execFile);

/** Path of the browser's program, whole or not there. */
async function findChromium(): Promise<string> {
  const program = join(cacheRoot(), `chromium-${CHROMIUM.version}`);
  if (existsSync(program)) return program;
  await mkdir(cacheRoot(), { recursive: true });
  const folder = await mkdtemp(join(cacheRoot(), 'chromium-'));
  try {
    const { stdout } = await run('npm', ['pack', `${CHROMIUM.name}@${CHROMIUM.version}`, '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: folder });
    const archive = join(folder, stdout.trim().split('\n').at(-1) ?? '');
    const found = `sha512-${createHash('sha512').update(await readFile(archive)).digest('base64')}`;
    if (found !== CHROMIUM.integrity) throw new Error(`${CHROMIUM.name} has the digest ${found}, not the pinned one`);
    await run('tar', ['-xzf', archive, '-C', folder]);
    await pipeline(createReadStream(join(folder, 'package', 'bin', 'chromium.br')), createBrotliDecompress(), createWriteStream(join(folder, 'chromium')));
    await chmod(join(folder, 'chromium'), 0o755);
    await rename(join(folder, 'chromium'), program);
    return program;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Opens the page in a browser until `done`; what the browser wrote is told where it ends before. */
export async function inChromium<T>(url: string, done: Promise<T>): Promise<T> {
  const program = await findChromium();
  const profile = await mkdtemp(join(tmpdir(), 'perennial-chromium-'));
  // The page is this test's own, on loopback; as root the browser has no sandbox.
  const browser = spawn(program, ['--headless', '--no-sandbox', '--disable-gpu', '--use-gl=disabled', '--no-first-run', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, '--remote-debugging-port=0', url], { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  browser.stderr.setEncoding('utf8').on('data', (text: string) => { told += text; });
  const ended = new Promise<void>((resolve) => { browser.once('close', () => { resolve(); }); });
  try {
    return await Promise.race([done, ended.then(() => { throw new Error(`the browser ended before the page was done: ${told.slice(-2_000)}`); })]);
  } finally {
    browser.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
