import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { decode, encode } from 'fast-png';
import sharp from 'sharp';
import { SnapshotProfile } from '../../contract/data-profile.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { resizePixels } from '../../domain/resize.js';
import { splitOf } from '../../domain/stable-split.js';
import { readJson } from '../../stores/json-objects.js';
import { createDataStack, pixels, png, query, SHAPE } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Place = Awaited<ReturnType<DataStack['locate']>>;
const CLASSES = ['car', 'truck'];

function pictures(location: string, more: Partial<Extract<Data, { kind: 'images' }>> = {}): Data {
  return {
    kind: 'images', image: SHAPE, target: { classes: CLASSES }, checks: { minimumRowsPerClass: 2 },
    sources: [
      { kind: 'image-folder', location, path: 'train', split: 'train', attributes: { light: 'day' } },
      { kind: 'image-folder', location, path: 'test', split: 'test', attributes: { light: 'day' } },
    ],
    ...more,
  };
}

/** 8 training and 4 test pictures, half of each class. */
async function fill(place: Place, reversed = false): Promise<void> {
  const files = Array.from({ length: 12 }, (_, index) => ({ name: `${index < 8 ? 'train' : 'test'}/${CLASSES[index % 2] ?? ''}/${index}.png`, bytes: png(pixels(index)) }));
  for (const { name, bytes } of reversed ? files.reverse() : files) await place.put(name, bytes);
}

const checks = (result: { report: { findings: { check: string; severity: string }[] } }) => result.report.findings.map(({ check, severity }) => `${check}:${severity}`);

describe('a snapshot of pictures', () => {
  it('has every row once, with its key, class, split and attributes, ordered by key', async () => {
    const place = await stack.locate();
    await fill(place);
    const { build, model } = await stack.define(pictures(place.name));
    const built = await build();
    expect(built).toMatchObject({ blocked: false, reused: false, rows: 12, counts: { bySplit: { train: 8, test: 4 }, byClass: { car: 6, truck: 6 }, byAttribute: { 'light=day': 12 } } });
    const { manifest, localShards } = await openSnapshot(stack.deps, built.digest);
    expect(SnapshotManifest.parse(manifest).content).toMatchObject({ kind: 'images', model, image: { name: 'image', ...SHAPE }, target: { name: 'label', classes: CLASSES } });
    expect(localShards.map(({ index, split }) => [index, split])).toEqual([[0, 'train'], [1, 'test']]);
    const rows = await query(`select key, split, label, attributes, octet_length(image) as bytes from read_parquet('${localShards[1]?.path ?? ''}')`);
    expect(rows.map(({ key }) => key)).toEqual(['10', '8'].map((n) => `${place.name}/test/car/${n}.png`).concat(['11', '9'].map((n) => `${place.name}/test/truck/${n}.png`)));
    expect(rows[0]).toEqual({ key: `${place.name}/test/car/10.png`, split: 'test', label: 'car', attributes: '{"light":"day"}', bytes: String(png(pixels(10)).length) });
  });

  it('has the same digest and files whatever the order in which the files were written', async () => {
    const place = await stack.locate();
    await fill(place);
    const { build, model } = await stack.define(pictures(place.name));
    const first = await build();
    await rm(place.root, { recursive: true });
    await fill(place, true);
    const again = await stack.define(pictures(place.name), model);
    expect(await again.build()).toMatchObject({ digest: first.digest, manifest: first.manifest, reused: true });
  });

  it('reads nothing when no source changed', async () => {
    const place = await stack.locate();
    await fill(place);
    await new Promise((settle) => setTimeout(settle, 150));
    const { build } = await stack.define(pictures(place.name));
    const first = await build();
    // What reads works in this folder: with a file in its place, reading would fail.
    const workspaces = join(stack.deps.scratch, 'snapshots');
    await rm(workspaces, { recursive: true });
    await writeFile(workspaces, '');
    try {
      expect(await build()).toEqual({ ...first, reused: true });
    } finally {
      await rm(workspaces);
    }
  });

  it('stores only the shards that a changed picture is in', async () => {
    const place = await stack.locate();
    await fill(place);
    const { build } = await stack.define(pictures(place.name));
    const before = await build();
    await place.put('test/car/8.png', png(pixels(800)));
    const after = await build();
    expect(after.digest).not.toBe(before.digest);
    const shards = async (digest: string) => (await openSnapshot(stack.deps, digest)).manifest.shards;
    const [old, young] = [await shards(before.digest), await shards(after.digest)];
    expect(young[0]).toEqual(old[0]);
    expect(young[1]?.file).not.toEqual(old[1]?.file);
  });

  it('profiles the shards that stay once more where the definition has another class', async () => {
    const place = await stack.locate();
    await fill(place);
    const { build, model } = await stack.define(pictures(place.name));
    const before = await build();
    for (let number = 20; number < 24; number += 1) await place.put(`train/bus/${number}.png`, png(pixels(number)));
    const widened = await stack.define(pictures(place.name, { target: { classes: [...CLASSES, 'bus'] } }), model);
    const after = await widened.build();
    expect(after).toMatchObject({ blocked: false, reused: false, rows: 16 });
    const shards = async (digest: string) => (await openSnapshot(stack.deps, digest)).manifest.shards;
    const [old, young] = [await shards(before.digest), await shards(after.digest)];
    expect(young[1]).toEqual(old[1]);
    const profile = (await stack.stores.snapshots.get(after.digest))?.profile;
    expect(SnapshotProfile.parse(await readJson(stack.artifacts, profile?.data ?? { uri: '', sha256: '', bytes: 0 })).profile.target.classes).toEqual([{ name: 'car', rows: 6 }, { name: 'truck', rows: 6 }, { name: 'bus', rows: 4 }]);
  });

  it('is fetched again where the local copy is damaged', async () => {
    const place = await stack.locate();
    await fill(place);
    const { build } = await stack.define(pictures(place.name));
    const { digest } = await build();
    const path = (await openSnapshot(stack.deps, digest)).localShards[0]?.path ?? '';
    await writeFile(path, 'damaged');
    await Promise.all([openSnapshot(stack.deps, digest), openSnapshot(stack.deps, digest)]);
    expect(await query(`select count(*)::int as n from read_parquet('${path}')`)).toEqual([{ n: 8 }]);
  });

  it('is built from an S3 prefix as from a folder', async () => {
    const place = await stack.locate();
    await fill(place);
    const { build, model } = await stack.define(pictures(place.name));
    const fromFolder = await build();
    for (let index = 0; index < 12; index += 1) await stack.artifacts.putAt(`pictures/${index < 8 ? 'train' : 'test'}/${CLASSES[index % 2] ?? ''}/${index}.png`, png(pixels(index)));
    await stack.stores.locations.set(place.name, `s3://${stack.bucket}/pictures`, 'ada');
    expect(await (await stack.define(pictures(place.name), model)).build()).toMatchObject({ digest: fromFolder.digest, reused: true });
  });

  it('takes labelled predictions as rows, keyed by their pixels, one for a picture that was asked twice', async () => {
    const place = await stack.locate();
    await fill(place);
    const byKey = { train: 0.5, test: 0.5 };
    const data = pictures(place.name);
    data.sources.push({ kind: 'labelled-predictions', attributes: { light: 'night' }, split: { byKey } });
    const { build, model } = await stack.define(data);
    const without = await build();
    expect(without.rows).toBe(12);
    const night = async (n: number, label: string, attributes: Record<string, string>) => stack.predicted(model, { input: pixels(n), shape: [1, 4, 4, 3], label, attributes });
    for (const n of [100, 101, 102, 103, 101]) await night(n, n % 2 ? 'truck' : 'car', { light: 'night', camera: 'east' });
    await night(104, 'car', { light: 'day' });
    const built = await build();
    expect(built).toMatchObject({ rows: 16, reused: false, blocked: false });
    expect(built.counts.byAttribute).toEqual({ 'camera=east': 4, 'light=day': 12, 'light=night': 4 });
    const { localShards } = await openSnapshot(stack.deps, built.digest);
    const rows = await query(`select key, split, label from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(',')}]) where attributes like '%night%'`);
    expect(rows.map(({ key, split }) => split === splitOf(String(key), { ...byKey, validation: 0 }))).toEqual([true, true, true, true]);
    // A label that is corrected later is another row.
    const id = await night(105, 'car', { light: 'night' });
    const first = await build();
    await stack.stores.labels.add([{ predictionId: id, requestId: null, model, label: 'truck', by: 'eve', at: new Date(Date.now() + 1000).toISOString() }]);
    const corrected = await build();
    expect(corrected.digest).not.toBe(first.digest);
    expect(corrected.counts.byClass['truck']).toBe((first.counts.byClass['truck'] ?? 0) + 1);
  });

  it('waits for the minimum of labelled predictions before it uses them', async () => {
    const place = await stack.locate();
    await fill(place);
    const data = pictures(place.name);
    data.sources.push({ kind: 'labelled-predictions', split: 'train', minimum: 5 });
    const { build, model } = await stack.define(data);
    await stack.predicted(model, { input: pixels(200), shape: [1, 4, 4, 3], label: 'car' });
    const built = await build();
    expect(built).toMatchObject({ rows: 12, blocked: false });
    expect(checks(built)).toEqual(['too-few-rows:warn']);
  });

  it('sends rows by key to their split, the same for ever', async () => {
    const place = await stack.locate();
    await fill(place);
    const byKey = { train: 0.6, test: 0.4 };
    const { build } = await stack.define(pictures(place.name, { checks: { minimumRowsPerClass: 1 }, sources: [{ kind: 'image-folder', location: place.name, path: 'train', split: { byKey } }] }));
    const built = await build();
    const expected = Array.from({ length: 8 }, (_, index) => splitOf(`${place.name}/train/${CLASSES[index % 2] ?? ''}/${index}.png`, { ...byKey, validation: 0 }));
    expect(built.counts.bySplit['test'] ?? 0).toBe(expected.filter((split) => split === 'test').length);
  });
});

describe('validation of pictures', () => {
  async function built(change: (place: Place) => Promise<void>, more: Partial<Extract<Data, { kind: 'images' }>> = {}) {
    const place = await stack.locate();
    await fill(place);
    await change(place);
    const { build, model } = await stack.define(pictures(place.name, more));
    return { place, model, result: await build() };
  }
  const relaxed = (checks: NonNullable<Data['checks']>) => ({ checks: { minimumRowsPerClass: 1, ...checks } });

  it('blocks on a picture that was cut short, and names the file', async () => {
    const cut = (place: Place) => place.put('train/car/cut.png', png(pixels(50)).slice(0, 60));
    const { result, place, model } = await built(cut);
    expect(result).toMatchObject({ blocked: true, report: { findings: [{ check: 'unreadable', severity: 'block', count: 1, rows: [`${place.name}/train/car/cut.png`] }] } });
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    expect((await built(cut, relaxed({ unreadable: 'drop' }))).result).toMatchObject({ blocked: false, rows: 12 });
  });

  it('finds a damaged byte inside a picture', async () => {
    const { result } = await built((place) => place.put('train/car/flipped.png', png(pixels(51)).map((byte, index) => (index === 45 ? byte ^ 1 : byte))));
    expect(checks(result)).toEqual(['unreadable:block']);
  });

  it('finds pictures of another shape', async () => {
    const { result } = await built(async (place) => {
      await place.put('train/car/large.png', (await import('fast-png')).encode({ width: 5, height: 4, channels: 3, data: new Uint8Array(60) }));
      await place.put('train/car/clear.png', (await import('fast-png')).encode({ width: 4, height: 4, channels: 4, data: new Uint8Array(64) }));
    });
    expect(checks(result)).toEqual(['wrong-shape:block', 'wrong-shape:block']);
    expect(result.report.findings[0]?.message).toMatch(/4×4 with 3 channels.*found 4×4 with 4/);
  });

  it('reads PNG, JPEG and WebP of one folder, told by what they hold, and names the ones that are damaged', async () => {
    const raw = (number: number) => sharp(pixels(number), { raw: { width: 4, height: 4, channels: 3 } });
    const jpeg = await raw(70).jpeg().toBuffer();
    const { result, place } = await built(async (folder) => {
      await folder.put('train/car/photo.JPG', jpeg);
      await folder.put('train/car/misnamed.jpg', png(pixels(71)));
      await folder.put('train/car/again.png', jpeg);
      await folder.put('train/truck/web.webp', await raw(72).webp().toBuffer());
      await folder.put('train/truck/cut.jpeg', jpeg.subarray(0, jpeg.length - 20));
      await folder.put('train/truck/notes.jpg', new TextEncoder().encode('no picture'));
      await folder.put('train/truck/grey.jpg', await raw(73).greyscale().jpeg().toBuffer());
    }, relaxed({ unreadable: 'drop' }));
    expect(result).toMatchObject({ blocked: false, rows: 16 });
    expect(result.report.findings.map(({ check, message, rows }) => [check, message, rows])).toEqual(expect.arrayContaining([
      ['unreadable', 'not a whole JPEG picture (premature end of JPEG image)', [`${place.name}/train/truck/cut.jpeg`]],
      ['unreadable', 'no PNG, JPEG or WebP picture', [`${place.name}/train/truck/notes.jpg`]],
      ['duplicate', 'the same picture again in train', [`${place.name}/train/car/photo.JPG = ${place.name}/train/car/again.png`]],
    ]));
    const { localShards } = await openSnapshot(stack.deps, result.digest);
    const [row] = await query(`select base64(image) as image from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}]) where key like '%again.png'`);
    expect([...decode(Buffer.from(String(row?.['image']), 'base64')).data]).toEqual([...await sharp(jpeg).raw().toBuffer()]);
  });

  it('refuses a picture by the size it declares, before anything of it is unpacked', async () => {
    // 65,500 × 65,500 pixels of RGB are 12.9 GB; the file is the header of such a picture and nothing else that is right.
    const bomb = Buffer.from(png(pixels(1)));
    bomb.writeUInt32BE(65_500, 16);
    bomb.writeUInt32BE(65_500, 20);
    const before = process.memoryUsage().rss;
    const { result } = await built((place) => place.put('train/car/bomb.png', bomb));
    expect(result.report.findings).toMatchObject([{ check: 'wrong-shape', severity: 'block', message: 'pictures must be 4×4; found 65500×65500' }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it('drops a training picture that is also a test picture, and says which', async () => {
    const { result, place } = await built((place) => place.put('train/car/leak.png', png(pixels(8))));
    expect(result).toMatchObject({ blocked: false, rows: 12, counts: { bySplit: { train: 8, test: 4 } } });
    expect(result.report.findings).toMatchObject([{ check: 'duplicate', severity: 'drop', rows: [`${place.name}/train/car/leak.png = ${place.name}/test/car/8.png`] }]);
    expect((await built((place) => place.put('train/car/leak.png', png(pixels(8))), relaxed({ duplicates: 'warn' }))).result.counts.bySplit).toEqual({ train: 8, test: 4 });
    expect((await built((place) => place.put('train/car/leak.png', png(pixels(8))), relaxed({ duplicates: 'block' }))).result.blocked).toBe(true);
  });

  it('drops a copy in the same split, or keeps it where copies are allowed', async () => {
    const copy = (place: Place) => place.put('train/car/copy.png', png(pixels(0)));
    expect((await built(copy)).result).toMatchObject({ blocked: false, rows: 12 });
    expect((await built(copy, relaxed({ duplicates: 'warn' }))).result).toMatchObject({ blocked: false, rows: 13 });
  });

  it('blocks on the same picture under two classes; nothing of it is visible', async () => {
    const { result, model } = await built((place) => place.put('train/truck/relabelled.png', png(pixels(0))));
    expect(result.blocked).toBe(true);
    expect(result.report.findings).toMatchObject([{ check: 'conflicting-label', severity: 'block', count: 2 }]);
    expect(result.report.findings[0]?.rows[0]).toMatch(/train\/car\/0\.png \(car\) = .*relabelled\.png \(truck\)/);
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    await expect(openSnapshot(stack.deps, result.digest)).rejects.toThrow(/no snapshot/);
  });

  it('brings pictures of other sizes to that of the definition, where it says how', async () => {
    const place = await stack.locate();
    await fill(place);
    const large = { width: 9, height: 12, channels: 3 as const };
    const data = Uint8Array.from({ length: 324 }, (_, index) => (index * 37) % 251);
    await place.put('train/car/large.png', encode({ ...large, depth: 8, data }));
    const told = async (resize?: 'bilinear') => (await stack.define(pictures(place.name, { image: { ...SHAPE, resize } }))).build();
    expect(await told()).toMatchObject({ blocked: true, report: { findings: [{ check: 'wrong-shape' }] } });
    const built = await told('bilinear');
    expect(built).toMatchObject({ blocked: false, rows: 13 });
    const { manifest, localShards } = await openSnapshot(stack.deps, built.digest);
    expect(manifest.content.image).toEqual({ name: 'image', ...SHAPE });
    const [row] = await query(`select base64(image) as image from read_parquet('${localShards[0]?.path ?? ''}') where key like '%large.png'`);
    expect([...decode(Buffer.from(String(row?.['image']), 'base64')).data]).toEqual([...resizePixels(data, large, SHAPE, 'bilinear')]);
  });

  it('looks at their brightness, and reports pictures of one colour', async () => {
    const place = await stack.locate();
    await fill(place);
    const flat = (value: number) => png(new Uint8Array(48).fill(value));
    await place.put('train/car/dusk.png', png(pixels(100).map((value) => value >> 4)));
    await place.put('train/car/grey.png', flat(99));
    const told = async (checks: Extract<Data, { kind: 'images' }>['checks']) => {
      const { build } = await stack.define(pictures(place.name, { checks: { minimumRowsPerClass: 2, ...checks } }));
      const { rows, blocked, report } = await build();
      return { rows, blocked, found: report.findings.filter(({ check }) => check === 'blank' || check === 'brightness') };
    };
    expect(await told({})).toMatchObject({ rows: 14, blocked: false, found: [{ check: 'blank', severity: 'warn', rows: [`${place.name}/train/car/grey.png`] }] });
    expect(await told({ blank: 'drop', brightness: { from: 20 } })).toMatchObject({ rows: 13, found: [{ check: 'brightness', severity: 'warn', message: 'pictures whose mean value is not from 20 to 255', rows: [expect.stringMatching(/dusk\.png \(\d\.\d\)$/)] }, { check: 'blank', severity: 'drop' }] });
    expect(await told({ brightness: { from: 20, severity: 'drop' } })).toMatchObject({ rows: 13, blocked: false });
    expect(await told({ brightness: { to: 98, severity: 'block' } })).toMatchObject({ blocked: true });
  });

  it('reports folders that are no class, and what is no picture', async () => {
    const { result } = await built(async (place) => {
      await place.put('train/lorry/1.png', png(pixels(60)));
      await place.put('train/stray.png', png(pixels(61)));
    });
    expect(result).toMatchObject({ blocked: false, rows: 12 });
    expect(checks(result)).toEqual(['unknown-class:drop', 'unknown-class:drop']);
  });

  it('blocks on empty classes, too few rows, no test rows', async () => {
    expect(checks((await built((place) => rm(join(place.root, 'train/car'), { recursive: true }))).result)).toEqual(['empty-class:block']);
    expect(checks((await built(async () => undefined, relaxed({ minimumRowsPerClass: 5 }))).result)).toEqual(['too-few-rows:block', 'too-few-rows:block']);
    const few = (await built((place) => rm(join(place.root, 'test/car'), { recursive: true }))).result;
    expect(checks(few)).toEqual(['empty-class:warn']);
  });

  it('blocks on sources that are not there', async () => {
    expect((await built((place) => rm(join(place.root, 'test'), { recursive: true }))).result.report.findings[0]).toMatchObject({ check: 'missing-source', severity: 'block' });
    const nowhere = await (await stack.define(pictures('nowhere'))).build();
    expect(nowhere.report.findings[0]?.message).toMatch(/perennial location set nowhere/);
    const place = await stack.locate();
    const outside = await (await stack.define(pictures(place.name, { sources: [{ kind: 'image-folder', location: place.name, path: '../secrets', split: 'train' }] }))).build();
    expect(outside.report.findings[0]?.message).toMatch(/leaves its location/);
  });
});
