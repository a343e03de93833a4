import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadNativeParts } from '../../infra/native.js';
import { childEnvironment } from '../../runtime/child/environment.js';

interface Found { readonly why: string | null; readonly isCompiled: boolean; readonly distance: number; readonly gradient: number; readonly kept: number }

const home = mkdtempSync(join(tmpdir(), 'perennial-compile-'));
let found: Record<string, Found>;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'support', 'compile-networks.mjs')], { env: childEnvironment({ home, tfjsNode: loadNativeParts().tfjsNode, threads: 1 }) });
  found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, Found>;
}, 60_000);
afterAll(() => { rmSync(home, { recursive: true, force: true }); });

describe('a network that is compiled', () => {
  test.each(['pictures', 'separable', 'normalised', 'branched', 'table', 'reshaped'])('gives what its layers give, for batches of any size: %s', (name) => {
    expect(found[name]).toMatchObject({ why: null, isCompiled: true });
    expect(found[name]?.distance).toBeLessThan(1e-5);
  });

  test('still has gradients, and keeps no tensors of what it predicted', () => {
    for (const { gradient, kept } of Object.values(found)) {
      expect(gradient).toBeGreaterThan(0);
      expect(kept).toBe(0);
    }
  });

  test('leaves no files behind', () => {
    expect(existsSync(home)).toBe(true);
    expect(readdirSync(home).filter((name) => name.startsWith('compiled-'))).toEqual([]);
  });
});

test('a network in which something else depends on the size of the batch is run layer by layer, and it says so', () => {
  expect(found['recurrent']).toMatchObject({ isCompiled: false, distance: 0 });
  expect(found['recurrent']?.why).toMatch(/depends on the batch|another batch/);
});
