import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { builtFile } from '../../runtime/child/program-path.js';

const folder = mkdtempSync(join(tmpdir(), 'perennial-parent-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** Processes that run our read-definition program for a parent. */
function readersOf(parent: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('read-definition') && readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1] === String(parent);
    } catch {
      return false;
    }
  });
}

async function until<T>(look: () => T | null, ms: number): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    const found = look();
    if (found !== null) return found;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error(`not seen within ${ms} ms`);
}

test('a child in an endless loop ends when its parent is killed, and takes its folder along', async () => {
  writeFileSync(join(folder, 'a.model.ts'), 'for (;;);');
  const host = join(folder, 'host.mjs');
  writeFileSync(host, `import { readDefinitions } from ${JSON.stringify(builtFile('runtime/definition/read.js'))};\nawait readDefinitions({ checkout: ${JSON.stringify(folder)}, file: 'a.model.ts', timeoutMs: 60000 });\n`);
  const parent = spawn(process.execPath, [host], { stdio: 'ignore' });
  const child = await until(() => readersOf(parent.pid ?? -1)[0] ?? null, 20_000);
  // Long enough for the child to be in the loop, and its watching thread up.
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  const home = /HOME=([^\0]+)/.exec(readFileSync(`/proc/${child}/environ`, 'latin1'))?.[1] ?? '';
  parent.kill('SIGKILL');
  await until(() => (existsSync(`/proc/${child}`) ? null : true), 5_000);
  expect(existsSync(home)).toBe(false);
});
