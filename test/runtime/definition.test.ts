import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PerennialError } from '../../contract/errors.js';
import { bundleDefinition } from '../../runtime/definition/bundle.js';
import { findDefinitions } from '../../runtime/definition/find.js';
import { readDefinitions, type LoadLimits } from '../../runtime/definition/read.js';

const made: string[] = [];
afterAll(() => { for (const folder of made) rmSync(folder, { recursive: true, force: true }); });

/** A checkout with these files. */
function checkout(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-checkout-'));
  made.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const definition = (parts: { network?: string; training?: string; gates?: string; owner?: string; extra?: string } = {}) => `
import { defineModel, layers } from 'perennial';
export default defineModel({
  schema: 1, name: 'car-truck', owner: ${parts.owner ?? '{ name: \'Vehicles\', email: \'vehicles@example.org\' }'}, purpose: 'tells cars from trucks',
  data: { kind: 'images', image: { height: 32, width: 32 }, target: { classes: ['car', 'truck'] }, sources: [{ kind: 'image-folder', location: 'pictures', split: 'train' }] },
  network: ${parts.network ?? '{ layers: [layers.flatten(), layers.dense({ units: 2, activation: \'softmax\' })] }'},
  training: { optimizer: { kind: 'adam', learningRate: 0.001 }, epochs: 2, batchSize: 64, seed: 1 ${parts.training ?? ''} },
  evaluation: { gates: [${parts.gates ?? '{ kind: \'at-least\', name: \'accuracy\', metric: \'accuracy\', threshold: 0.88 }'}] },
  ${parts.extra ?? ''}
});`;

async function failure(files: Readonly<Record<string, string>>, limits: Partial<LoadLimits> = {}): Promise<PerennialError> {
  const error: unknown = await readDefinitions({ checkout: checkout(files), file: 'a.model.ts', limits }).then(() => null, (reason: unknown) => reason);
  if (!(error instanceof PerennialError)) throw new Error(`expected a PerennialError, found ${String(error)}`);
  return error;
}

describe('finding and bundling definitions', () => {
  test('they are found at any depth, but not in node_modules', async () => {
    const folder = checkout({ 'perennial.ts': '', 'models/night/x.model.ts': '', 'node_modules/p/y.model.ts': '', '.git/z.model.ts': '', 'lib/model.ts': '' });
    expect(await findDefinitions(folder)).toEqual(['models/night/x.model.ts', 'perennial.ts']);
    await expect(findDefinitions(checkout({ 'README.md': '' }))).rejects.toMatchObject({ code: 'definition/missing' });
  });

  test('the bundle is the same bytes wherever the checkout lies, and imports nothing', async () => {
    const files = { 'models/a.model.ts': definition().replace('\'perennial\';', '\'perennial\'; import { x } from \'../lib/x\'; console.log(x);'), 'lib/x.ts': 'export const x = 1;', 'tsconfig.json': '{ "extends": "./gone.json" }' };
    const [one, two] = await Promise.all([files, files].map((each) => bundleDefinition({ checkout: checkout(each), file: 'models/a.model.ts' })));
    expect(Buffer.from(one?.code ?? []).equals(Buffer.from(two?.code ?? []))).toBe(true);
    expect(Buffer.from(one?.code ?? []).toString()).not.toMatch(/^import /m);
  });

  test('an import of anything but relative files and perennial is named', async () => {
    const error = await failure({ 'a.model.ts': 'import fs from \'node:fs\';\nimport _ from \'lodash\';\nconsole.log(fs, _);' });
    expect(error.code).toBe('definition/invalid');
    expect(error.message).toMatch(/a\.model\.ts imports 'node:fs'/);
    expect(error.message).toMatch(/a\.model\.ts imports 'lodash'/);
  });

  test('a link does not lead out of the checkout', async () => {
    const outside = checkout({ 'secret.ts': 'export const secret = 1;' });
    const folder = checkout({ 'a.model.ts': 'import { secret } from \'./linked\'; console.log(secret);' });
    symlinkSync(join(outside, 'secret.ts'), join(folder, 'linked.ts'));
    await expect(readDefinitions({ checkout: folder, file: 'a.model.ts' })).rejects.toThrow(/outside the repository's own files/);
  });
});

describe('reading definitions', () => {
  test('gives the definition with its defaults, and two digests that change apart', async () => {
    const read = async (source: string, more: Record<string, string> = {}) => (await readDefinitions({ checkout: checkout({ 'a.model.ts': source, ...more }), file: 'a.model.ts' }))[0];
    const plain = await read(definition());
    expect(plain?.definition.approval).toEqual({ deadline: '7d', reminderAfter: '2d', automatic: false });
    const owner = await read(definition({ owner: '{ name: \'Others\', email: \'others@example.org\' }' }));
    expect(owner?.trainingDigest).toBe(plain?.trainingDigest);
    expect(owner?.policyDigest).not.toBe(plain?.policyDigest);
    const seed = await read(definition({ training: ', threads: 1' }));
    expect(seed?.trainingDigest).not.toBe(plain?.trainingDigest);
    expect(seed?.policyDigest).toBe(plain?.policyDigest);
    const network = (units: number) => ({ 'network.ts': `// a comment\nexport default ({ tf }: { tf: { units(n: number): unknown } }) => tf.units(${units});` });
    const [eight, nine, commented] = await Promise.all([network(8), network(9), { 'network.ts': `/* other words */\n${network(8)['network.ts'].replace('// a comment\n', '')}` }].map((more) => read(definition({ network: '{ module: \'./network.ts\' }' }), more)));
    expect(eight?.trainingDigest).not.toBe(nine?.trainingDigest);
    expect(eight?.trainingDigest).toBe(commented?.trainingDigest);
  });

  test('wrong values are named with path, expected and found', async () => {
    const error = await failure({ 'a.model.ts': definition({ gates: '{ kind: \'at-least\', name: \'accuracy\', metric: \'accuracy\', threshold: 3 }, { kind: \'at-least\', name: \'b\', metric: \'speed\', threshold: 0.5 }', training: ', epoch: 3', extra: 'monitoring: { every: \'3 days\', minimumLabels: \'many\' },' }) });
    expect(error.code).toBe('definition/invalid');
    expect(error.details['issues']).toEqual(expect.arrayContaining([
      'evaluation.gates[0].threshold: expected a number from 0 to 1, found 3',
      'evaluation.gates[1].metric: expected one of "accuracy", "precision", "recall", "f1", "r2", found "speed"',
      'training.epoch: expected no such field (is \'epochs\' meant?), found 3',
      expect.stringMatching(/^monitoring\.every: expected .*a duration is a whole number and a unit.*, found "3 days"$/),
      'monitoring.minimumLabels: expected a whole number from 1, found "many"',
    ]));
  });

  test('parts that contradict each other are named: a gate on a slice that is not there, shares that are not a whole', async () => {
    const error = await failure({ 'a.model.ts': definition({
      gates: '{ kind: \'at-least\', name: \'at-night\', metric: \'accuracy\', slice: \'nihgt\', threshold: 0.5 }, { kind: \'not-worse-than-live\', name: \'at-night\' }',
      extra: 'monitoring: { thresholds: [{ name: \'bikes\', metric: \'recall\', class: \'bike\', below: 0.5 }] },',
    }) });
    expect(error.code).toBe('definition/invalid');
    expect(error.details['issues']).toEqual([
      expect.stringMatching(/^monitoring\.thresholds\[0\]\.class: expected a class of this definition \(.+\), found "bike"$/),
      'evaluation.gates[0].slice: expected a slice of this definition (none is declared), found "nihgt"',
      expect.stringMatching(/^evaluation\.gates\[1\]: expected another name than at-night, which is taken, found \{/),
    ]);
    const split = await failure({ 'a.model.ts': definition({}).replace(/split: '[a-z]+'/, 'split: { byKey: { train: 0.9, test: 0.2 } }') });
    expect(split.message).toMatch(/split\.byKey: expected shares that sum to 1, found/);
  });

  test('a function where plain data belongs is named, not lost', async () => {
    const error = await failure({ 'a.model.ts': definition({ network: '{ layers: [layers.dense({ units: 2, kernelInitializer: () => 1 })] }' }) });
    expect(error.message).toMatch(/network\.layers\[0\]\.config\.kernelInitializer: expected plain data, found a function/);
  });

  test('a definition that throws is answered with the team\'s own file and line', async () => {
    const error = await failure({ 'a.model.ts': 'import { load } from \'./lib/load\';\nload();', 'lib/load.ts': 'export function load() {\n  throw new Error(\'no configuration\');\n}' });
    expect(error.code).toBe('definition/threw');
    expect(error.message).toMatch(/no configuration/);
    expect(error.message).toMatch(/lib\/load\.ts:2/);
  });

  test('a file that exports no definition is definition/missing', async () => {
    expect((await failure({ 'a.model.ts': 'export const x = 1;' })).code).toBe('definition/missing');
  });

  test('an endless loop is stopped by the processor time that it takes', async () => {
    const error = await failure({ 'a.model.ts': 'while (true) { /* on and on */ }' }, { processorMs: 1000 });
    expect(error).toMatchObject({ code: 'definition/timeout', message: 'not done after 1 s of processor time while loading a.model.ts' });
  });

  test('a promise that never settles is stopped by the clock', async () => {
    const error = await failure({ 'a.model.ts': 'await new Promise(() => { setInterval(() => {}, 1000); });' }, { timeoutMs: 1000 });
    expect(error).toMatchObject({ code: 'definition/timeout', message: 'not done after 1 s while loading a.model.ts' });
  });

  test('memory beyond the limit ends the child, not the host', async () => {
    const error = await failure({ 'a.model.ts': 'const kept = []; for (;;) kept.push(new Uint8Array(1e6).fill(1));' }, { memoryMb: 200 });
    expect(error.code).toBe('definition/threw');
    expect(error.message).toMatch(/memory.*limit is 200 MB/);
  });

  test('the child sees no credentials of its host', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'hidden';
    const error = await failure({ 'a.model.ts': 'throw new Error(Object.keys(process.env).sort().join());' }).finally(() => { delete process.env['AWS_SECRET_ACCESS_KEY']; });
    expect(error.message).not.toMatch(/AWS|DATABASE/);
    expect(error.message).toMatch(/HOME/);
  });
});
