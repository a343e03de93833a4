import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { darken } from '../../../infra/demo/darken.js';
import { preparePictures, SMALL_COUNTS } from '../../../infra/demo/pictures.js';
import type { PicturesManifest } from '../../../infra/demo/pictures.js';
import { readTraffic } from '../../../infra/demo/traffic.js';
import { loadNativeParts } from '../../../infra/native.js';

let into = '';
let manifest: PicturesManifest;
const { cifar10 } = loadNativeParts();

beforeAll(async () => {
  into = await mkdtemp(join(tmpdir(), 'pictures-'));
  manifest = await preparePictures({ cifarDir: cifar10, into, small: true });
});
afterAll(() => rm(into, { recursive: true, force: true }));

async function folderPictures(role: string): Promise<{ label: string; pixels: Uint8Array }[]> {
  const found = [];
  for (const label of ['car', 'truck']) for (const file of await readdir(join(into, role, label))) {
    found.push({ label, pixels: new Uint8Array(decode(await readFile(join(into, role, label, file))).data) });
  }
  return found;
}
const digest = (pixels: Uint8Array) => createHash('sha256').update(pixels).digest('hex');

describe('the demo\'s pictures', () => {
  it('are balanced, in the promised counts', async () => {
    for (const role of ['train', 'test', 'day', 'night'] as const) {
      expect(manifest.roles[role]).toMatchObject({ rows: SMALL_COUNTS[role], perClass: { car: SMALL_COUNTS[role] / 2, truck: SMALL_COUNTS[role] / 2 } });
    }
    expect((await folderPictures('train')).length).toBe(SMALL_COUNTS.train);
  });

  it('have one role each: no pixels are seen twice', async () => {
    const digests = [...await folderPictures('train'), ...await folderPictures('test')].map(({ pixels }) => digest(pixels));
    for await (const { pixels } of readTraffic(into, 'day')) digests.push(digest(pixels));
    const dark = new Set(await Promise.all((await folderPictures('train')).map(async ({ pixels }) => digest(darken(pixels)))));
    for await (const { pixels } of readTraffic(into, 'night')) {
      expect(dark.has(digest(pixels))).toBe(false);
      digests.push(digest(pixels));
    }
    expect(new Set(digests).size).toBe(1_200);
  });

  it('are dark at night', async () => {
    const mean = async (role: string) => {
      let sum = 0;
      for await (const { pixels } of readTraffic(into, role)) sum += pixels.reduce((total, value) => total + value, 0) / pixels.length;
      return sum / SMALL_COUNTS[role as 'day' | 'night'];
    };
    const [day, night] = [await mean('day'), await mean('night')];
    expect(night / day).toBeGreaterThan(0.12);
    expect(night / day).toBeLessThan(0.18);
  });

  it('are mixed: any first part of the traffic holds both classes alike', async () => {
    const labels = [];
    for await (const { label } of readTraffic(into, 'night', 0, 100)) labels.push(label);
    expect(labels.filter((label) => label === 'car').length).toBeGreaterThan(35);
    expect(labels.filter((label) => label === 'car').length).toBeLessThan(65);
  });

  it('are read in part, from any row', async () => {
    const names = async (from: number, rows: number) => {
      const found = [];
      for await (const { name } of readTraffic(into, 'night', from, rows)) found.push(name);
      return found;
    };
    expect([...await names(0, 2), ...await names(2, 3)]).toEqual(await names(0, 5));
  });

  it('stay untouched when they are there, and are the same when made again after a loss', async () => {
    const file = join(into, 'test', 'car', (await readdir(join(into, 'test', 'car')))[0] ?? '');
    const before = await stat(file);
    expect(await preparePictures({ cifarDir: cifar10, into, small: true })).toEqual(manifest);
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
    await rm(file);
    expect(await preparePictures({ cifarDir: cifar10, into, small: true })).toEqual(manifest);
    expect((await stat(file)).size).toBe(before.size);
  });

  it('are made again when night was made otherwise', async () => {
    const path = join(into, 'manifest.json');
    await writeFile(path, JSON.stringify({ ...manifest, night: { ...manifest.night, brightness: 0.25 } }));
    const before = await stat(join(into, 'night.bin'));
    expect(await preparePictures({ cifarDir: cifar10, into, small: true })).toEqual(manifest);
    expect((await stat(join(into, 'night.bin'))).ino).not.toBe(before.ino);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(manifest);
  });

  it('are refused when there are too few, with the numbers', async () => {
    await expect(preparePictures({ cifarDir: cifar10, into: join(into, 'more'), counts: { train: 2, test: 3_000, day: 2, night: 2 } })).rejects.toThrow(/2000 pictures; 3000/);
  });
});
