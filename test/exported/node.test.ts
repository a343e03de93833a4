import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Signature } from '../../contract/package.js';
import { compiler } from '../../infra/setup/build.mjs';
import { refuseUnportable } from '../../runtime/export/refuse.js';
import { root } from '../docs/support.js';
import { createExportScene, distanceOf, rowsOf, TERMS, textOf, type Answer, type ExportScene } from './support.js';

let scene: ExportScene;
beforeAll(async () => { scene = await createExportScene(); });
afterAll(() => scene?.close());

/** Runs a module in the application's folder, as Node does, and reads what it printed. */
async function inNode<T>(source: string): Promise<T> {
  const file = join(scene.app, 'main.mjs');
  writeFileSync(file, source);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: scene.app, maxBuffer: 1e8 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

test('the packages give in Node, with TensorFlow.js alone, what the server gives for the same rows', { timeout: 120_000 }, async () => {
  const { pictures, photos, table, prices, answers } = await rowsOf(scene);
  writeFileSync(join(scene.app, 'rows.json'), JSON.stringify({ pictures: pictures.map((file) => file.toString('base64')), photos: photos.map((file) => file.toString('base64')), table, prices }));
  const found = await inNode<Record<'pictures' | 'photos' | 'table' | 'prices', Answer[]> & { backend: string; pixels: Answer[]; digest: string; refused: string[]; tensors: number }>(`
    import { readFileSync } from 'node:fs';
    import * as tf from '@tensorflow/tfjs';
    import { load as loadPictures } from 'pictures';
    import { load as loadTable } from 'table';
    import { load as loadPrices } from 'prices';
    const rows = JSON.parse(readFileSync('rows.json', 'utf8'));
    const files = (some) => some.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
    const [pictures, table, prices] = [await loadPictures(), await loadTable({ tf }), await loadPrices({ weights: readFileSync('node_modules/prices/weights.bin') })];
    const refused = await Promise.all([
      table.predict([{ city: 'Wien', alone: 'yes', booked: '2026-01-05' }]), table.predict([{ city: 'Wien', alone: true, booked: '2026-01-05', town: 1 }]), pictures.predict([new Uint8Array(9)]),
      pictures.predict([{ width: 3, height: 3, data: new Uint8Array(27) }]), loadPrices({ weights: new Uint8Array(8) }),
    ].map((work) => work.then(() => 'not refused', (error) => error.message)));
    const answers = { pictures: await pictures.predict(files(rows.pictures)), photos: await pictures.predict(files(rows.photos)), table: await table.predict(rows.table), prices: await prices.predict(rows.prices) };
    const pixels = await pictures.predict([new Blob([files(rows.pictures)[0]]), { width: 32, height: 32, data: new Uint8ClampedArray(4096).fill(127) }]);
    const { numTensors } = tf.memory();
    for (const model of [pictures, table, prices]) model.dispose();
    console.log(JSON.stringify({ ...answers, pixels, refused, backend: tf.getBackend(), digest: pictures.digest, tensors: tf.memory().numTensors, held: numTensors }));
  `);
  expect(found.backend).toBe('cpu');
  for (const kind of ['pictures', 'photos', 'table', 'prices'] as const) expect([kind, distanceOf(found[kind], answers[kind]) < 1e-4]).toEqual([kind, true]);
  expect(found.pixels[0]).toEqual(found.pictures[0]);
  expect(found.digest).toBe((await scene.fixture.database.stores.versions.get(scene.models.pictures, 1))?.packageDigest);
  expect(found.tensors).toBe(0);
  expect(found.refused).toEqual([
    'row 0, column alone: "yes" is not true or false', 'row 0: the model knows no column town. It takes: age, city, alone, booked', 'row \'0\': no PNG, JPEG or WebP picture',
    'row \'0\': the picture is 3 × 3, the definition says 32 × 32', expect.stringMatching(/^the weights of .*@1 have the sha256 [0-9a-f]{64}; these 8 bytes have [0-9a-f]{64}$/),
  ]);
});

test('its types know the model\'s columns and classes', async () => {
  writeFileSync(join(scene.app, 'uses.ts'), `import { load } from 'table';
    export async function main() {
      const model = await load();
      const [answer] = await model.predict([{ city: 'Wien', alone: true, booked: '2026-01-05' }]);
      const known: 'no' | 'yes' | undefined = answer?.class;
      // @ts-expect-error: a number is not true or false
      await model.predict([{ city: 'Wien', alone: 1, booked: '2026-01-05' }]);
      return known;
    }`);
  writeFileSync(join(scene.app, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', lib: ['es2022', 'dom'], types: [] }, include: ['uses.ts'] }));
  const { command, args, env } = compiler(root);
  const { stdout } = await promisify(execFile)(command, [...args, '-p', scene.app], { cwd: scene.app, env: { ...process.env, ...env } }).catch((error: unknown) => error as { stdout: string });
  expect(stdout).toBe('');
});

test('it holds the card, the terms of its data and of the code inside, and where it came from; the same version gives the same bytes', async () => {
  const folder = join(scene.cli.folder, 'pictures');
  expect(textOf(folder, 'TERMS.md')).toContain(`pictures of the town: ${TERMS}`);
  expect(textOf(folder, 'TERMS.md')).toMatch(/pictures of the yard: the definition names no terms[^]*fast-png [^]*MIT/);
  expect(textOf(folder, 'MODEL_CARD.md')).toContain(scene.models.pictures);
  const { packageDigest, commit, snapshot } = await scene.fixture.database.stores.versions.get(scene.models.pictures, 1) ?? {};
  expect(JSON.parse(textOf(folder, 'perennial.json'))).toMatchObject({ version: 1, digest: packageDigest, commit, snapshot });
  for (const text of [packageDigest, commit, snapshot]) expect(textOf(folder, 'README.md')).toContain(text);
  expect(JSON.parse(textOf(folder, 'package.json'))).toMatchObject({ name: 'pictures', version: '1.0.0', peerDependencies: { '@tensorflow/tfjs': expect.any(String) as string, sharp: expect.any(String) as string } });

  const before = readFileSync(join(folder, 'node.js'));
  const again = await scene.cli.run(['export', `${scene.models.pictures}@1`, '--as', 'npm', '--name', 'pictures', '--out', 'pictures', '--json']);
  expect([again.code, JSON.parse(again.out)]).toMatchObject([0, { folder, digest: packageDigest, files: ['MODEL_CARD.md', 'README.md', 'TERMS.md', 'browser.js', 'index.d.ts', 'node.js', 'package.json', 'perennial.json', 'weights.bin'] }]);
  expect(readFileSync(join(folder, 'node.js')).equals(before)).toBe(true);
});

test('what cannot leave the servers is refused, with every reason; nor is a foreign folder replaced', async () => {
  const signature: Signature = {
    classes: ['no', 'yes'], outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2] }],
    inputs: [{ name: 'visits', datatype: 'FP64', shape: [1], type: 'number' }, { name: 'mail', datatype: 'BYTES', shape: [1], type: 'text', personal: { action: 'hash', key: 'customers' } }],
    lookups: [{ view: 'activity', digest: 'a'.repeat(64), ttlMs: 1, keys: [{ input: 'customer', type: 'text' }], columns: [{ input: 'visits', place: 0 }] }],
  };
  expect(() => { refuseUnportable('churn@2', signature); }).toThrow('churn@2 cannot be exported: the columns visits are looked up in the feature view activity, which only servers reach; the values of mail are replaced by pseudonyms with the secret key customers, which must not leave the servers');
  const version = `${scene.models.pictures}@1`;
  expect(await scene.cli.run(['export', version, '--as', 'npm', '--out', '.'])).toMatchObject({ code: 1, err: expect.stringContaining('is there already, and is no exported model') as string });
  expect(await scene.cli.run(['export', version, '--as', 'wheel'])).toMatchObject({ code: 2, err: expect.stringContaining('--as: one of npm') as string });
  expect(await scene.cli.run(['export', `${scene.models.pictures}@9`, '--as', 'npm'])).toMatchObject({ code: 1, err: expect.stringContaining('version/unknown') as string });
  await scene.fixture.database.stores.versions.transition({ model: scene.models.prices, version: 1, to: 'rejected', by: 'ada', why: 'wrong', eventId: 'rejected' });
  expect(await scene.cli.run(['export', `${scene.models.prices}@1`, '--as', 'npm'])).toMatchObject({ code: 1, err: expect.stringContaining('is rejected (export/unsupported)') as string });
});
