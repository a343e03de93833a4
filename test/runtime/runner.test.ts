import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalSnapshot } from '../../contract/frames.js';
import { loadNativeParts } from '../../infra/native.js';
import type { Outputs } from '../../domain/outputs.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import type { EvaluatedClasses } from '../../runtime/evaluate/evaluate.js';
import { startRunner } from '../../runtime/runner/start.js';
import type { Runner } from '../../runtime/runner/start.js';
import { trainInChild } from '../../runtime/train/train.js';
import { carsAndTrucks } from './support/cifar.js';
import { pictureDefinition } from './support/definitions.js';
import { classesOf } from './support/evaluated.js';
import { sealPackage, writePackage } from './support/package.js';
import { writeSnapshot } from './support/snapshot.js';
import type { Row } from './support/snapshot.js';

const { tfjsNode } = loadNativeParts();
const folder = mkdtempSync(join(tmpdir(), 'perennial-runner-'));
const packageDirectory = join(folder, 'package');
let snapshot: LocalSnapshot;
let evaluated: EvaluatedClasses;
let runner: Runner;

beforeAll(async () => {
  const rows = carsAndTrucks(360).map(({ label, png }, index): Row => ({ key: `p${index + 1000}`, split: index % 3 === 0 ? 'test' : 'train', label, png, attributes: index % 2 === 0 ? { light: 'night' } : {} }));
  snapshot = await writeSnapshot(join(folder, 'snapshot'), rows, { classes: ['car', 'truck'] });
  const { modelDirectory } = await trainInChild({ definition: pictureDefinition({ training: { epochs: 3 } }), bundleCode: null, snapshot, attemptDirectory: join(folder, 'attempt'), resumeFrom: null, mode: 'full', tfjsNode });
  evaluated = classesOf(await evaluateInChild({ modelDirectory, snapshot, tfjsNode, threads: 1 }));
  writePackage(packageDirectory, modelDirectory, evaluated.golden);
  runner = await startRunner({ packageDirectory, tfjsNode });
}, 90_000);
afterAll(async () => {
  await runner.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Raw inputs of the golden rows, and what they gave at evaluation. */
const golden = () => evaluated.golden.rows.map((row) => ({ input: new Uint8Array(Buffer.from(String(row.input), 'base64')), probabilities: 'probabilities' in row ? row.probabilities : [] }));
const expectNear = (found: Outputs, expected: readonly number[]) => { expected.forEach((value, index) => { expect(Math.abs((found[index] ?? NaN) - value)).toBeLessThan(1e-5); }); };

describe('evaluation', () => {
  test('gives every test row once, in the order of the snapshot, with its attributes', () => {
    expect(evaluated.rows).toBe(120);
    expect(new Set(evaluated.keys).size).toBe(120);
    const first = evaluated.keys.slice(0, 60);
    expect(first).toEqual([...first].sort());
    const night = evaluated.keys.indexOf('p1000');
    expect(evaluated.attributes[night]).toEqual({ light: 'night' });
    for (let row = 0; row < evaluated.rows; row += 1) {
      const [car = 0, truck = 0] = evaluated.probabilities.subarray(row * 2, row * 2 + 2);
      expect(car + truck).toBeCloseTo(1, 5);
      expect(evaluated.predicted[row]).toBe(car >= truck ? 0 : 1);
    }
  });

  test('spreads golden predictions over the classes, and gives the worst mistakes with their pictures', () => {
    const keys = evaluated.golden.rows.map(({ key }) => key);
    expect(keys).toHaveLength(32);
    const actual = keys.map((key) => evaluated.actual[evaluated.keys.indexOf(key)]);
    expect(actual.filter((index) => index === 0)).toHaveLength(16);
    const wrong = evaluated.keys.filter((_, row) => evaluated.actual[row] !== evaluated.predicted[row]).length;
    expect(evaluated.mistakes).toHaveLength(Math.min(24, wrong));
    const mistakes = evaluated.mistakes.filter((mistake) => 'probability' in mistake);
    const probabilities = mistakes.map(({ probability }) => probability);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
    expect(Buffer.from(mistakes[0]?.png ?? '', 'base64').subarray(1, 4).toString()).toBe('PNG');
  });
});

describe('a runner', () => {
  test('predicts what evaluation found, for bytes and for float32, whatever is in flight', async () => {
    expect(runner.signature).toMatchObject({ classes: ['car', 'truck'] });
    const rows = golden();
    const single = await Promise.all(rows.map(({ input }) => runner.predict({ rows: 1, input })));
    single.forEach((found, index) => { expectNear(found, rows[index]?.probabilities ?? []); });
    const batch = await runner.predict({ rows: rows.length, input: Float32Array.from(rows.flatMap(({ input }) => [...input])) });
    expectNear(batch, rows.flatMap(({ probabilities }) => probabilities));
    expect(runner.inFlight).toBe(0);
    expect(runner.rssBytes()).toBeGreaterThan(50_000_000);
  });

  test('refuses an input of the wrong size and goes on', async () => {
    await expect(runner.predict({ rows: 2, input: new Uint8Array(3072) })).rejects.toThrow(/2 rows need 6144 numbers/);
    await expect(runner.predict({ rows: 1, input: new Uint8Array(3072) })).resolves.toHaveLength(2);
  });

  test('that crashes rejects what is in flight, and says so once', async () => {
    const doomed = await startRunner({ packageDirectory, tfjsNode });
    const exit = once(doomed, 'exit');
    const pending = [doomed.predict({ rows: 1, input: new Uint8Array(3072) }), doomed.predict({ rows: 64, input: new Uint8Array(64 * 3072) })].map((answer) => answer.then(() => 'answered', (error: Error) => error.name));
    process.kill(doomed.pid, 'SIGKILL');
    expect(await Promise.all(pending)).toContain('RunnerGone');
    expect(await exit).toMatchObject([{ kind: 'exited', signal: 'SIGKILL' }]);
    await expect(doomed.predict({ rows: 1, input: new Uint8Array(3072) })).rejects.toThrow(/has ended/);
    await doomed.close();
  });

  test('does not start on a damaged package', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(packageDirectory, damaged, { recursive: true });
    const weights = readFileSync(join(damaged, 'weights.bin'));
    weights[weights.length - 1] = (weights[weights.length - 1] ?? 0) ^ 0x40;
    writeFileSync(join(damaged, 'weights.bin'), weights);
    await expect(startRunner({ packageDirectory: damaged, tfjsNode })).rejects.toMatchObject({ code: 'package/corrupt', details: { file: 'weights.bin' } });
    sealPackage(damaged);
    await expect(startRunner({ packageDirectory: damaged, tfjsNode })).rejects.toMatchObject({ code: 'package/golden-mismatch' });
    rmSync(join(damaged, 'model.json'));
    await expect(startRunner({ packageDirectory: damaged, tfjsNode })).rejects.toMatchObject({ code: 'package/corrupt', details: { file: 'model.json' } });
  });
});
