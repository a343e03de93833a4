import { readFileSync } from 'node:fs';
import { decode, encode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkPicture } from '../../activities/data/check-picture.js';
import { pixelsOf } from '../../cli/picture.js';
import { decodePicture, decodePictureFile } from '../../runtime/data/picture.js';
import { openPhoto } from '../../runtime/data/photo.js';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const Photo = z.object({ name: z.string(), height: z.int(), width: z.int(), channels: z.int(), file: bytes, pixels: bytes });
const photos = z.array(Photo).parse(JSON.parse(readFileSync(new URL('golden/photos.json', import.meta.url), 'utf8')));
const photo = (name: string) => photos.find((one) => one.name === name) ?? (() => { throw new Error(`no photo ${name}`); })();
const still = photos.filter(({ name }) => name !== 'WebP animation');
const { file: jpeg, pixels: ofJpeg, ...size } = photo('JPEG');
const shape = { height: size.height, width: size.width, channels: 3 };
const marker = (code: number) => jpeg.indexOf(Buffer.from([0xff, code]));

/** The same file with other bytes somewhere. */
function changed(file: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(file);
  change(copy);
  return copy;
}

describe('a photo', () => {
  test.each(still)('$name has the pixels that its encoder sees, upright', async ({ file, pixels, ...found }) => {
    const opened = await openPhoto(file);
    expect(opened).toMatchObject({ height: found.height, width: found.width, channels: found.channels });
    expect(Buffer.from(await opened.decode()).equals(pixels)).toBe(true);
  });

  test('is the same in snapshot, training, scoring and on the command line, in its own size and in another', async () => {
    for (const wanted of [shape, { height: 5, width: 7, channels: 3, resize: 'bilinear' as const }]) {
      const stored = await checkPicture(jpeg, wanted);
      if (!stored.ok) throw new Error(stored.message);
      const inTraining = decodePicture(stored.png, { height: wanted.height, width: wanted.width, channels: 3 }, 'row');
      expect([...await decodePictureFile(jpeg, wanted, 'row')]).toEqual([...inTraining]);
      if (!('resize' in wanted)) expect(inTraining).toEqual(new Uint8Array(ofJpeg));
    }
    expect(await pixelsOf(jpeg, shape)).toEqual({ shape: [13, 18, 3], pixels: [...ofJpeg] });
  });

  test('and a PNG of the same pixels are one picture', async () => {
    const [one, other] = await Promise.all([jpeg, encode({ ...shape, depth: 8, data: new Uint8Array(ofJpeg) })].map((file) => checkPicture(file, shape)));
    expect(one).toMatchObject({ ok: true, digest: other?.ok === true ? other.digest : 'a digest' });
  });

  test('that is grey has three equal channels where the others have colours, and colour is none where grey is wanted', async () => {
    const { file, pixels } = photo('grey JPEG');
    const stored = await checkPicture(file, shape);
    expect(stored.ok && [...decode(stored.png).data]).toEqual([...pixels].flatMap((value) => [value, value, value]));
    expect(await checkPicture(file, { ...shape, channels: 1 })).toMatchObject({ ok: true });
    expect(await checkPicture(jpeg, { ...shape, channels: 1 })).toMatchObject({ ok: false, check: 'wrong-shape', message: 'pictures must be 13×18 with 1 channels of 8 bits; found 13×18 with 3 channels of 8 bits' });
    expect(await decodePictureFile(jpeg, { ...shape, channels: 1 }, 'row')).toHaveLength(13 * 18);
    expect(await checkPicture(photo('WebP with transparency').file, shape)).toMatchObject({ ok: false, check: 'wrong-shape', message: expect.stringContaining('found 13×18 with 4 channels') as string });
  });

  test('is compared with the size that is wanted as it is held', async () => {
    const { file, pixels } = photo('JPEG held as 6');
    expect(await checkPicture(file, shape)).toMatchObject({ ok: false, message: 'pictures must be 13×18; found 18×13' });
    expect([...await decodePictureFile(file, { height: 18, width: 13, channels: 3 }, 'row')]).toEqual([...pixels]);
    await expect(decodePictureFile(file, shape, 'row 3')).rejects.toMatchObject({ code: 'data/blocked', message: expect.stringContaining("row 'row 3': the picture is 13 × 18, the definition says 18 × 13") as string });
  });
});

describe('no picture', () => {
  test.each(still.filter(({ name }) => /^(JPEG|progressive JPEG|WebP)$/.test(name)))('is a $name that was cut short, wherever', async ({ name, file }) => {
    const kind = name.replace('progressive ', '');
    for (const share of [0.1, 0.5, 0.8, 0.97]) {
      const cut = file.subarray(0, Math.floor(file.length * share));
      expect(await checkPicture(cut, shape)).toMatchObject({ ok: false, check: 'unreadable', message: expect.stringMatching(new RegExp(`^not a whole ${kind} picture \\([^\\n]+\\)$`)) as string });
      await expect(decodePictureFile(cut, shape, 'p7')).rejects.toThrow(`row 'p7': the picture is no readable ${kind} (`);
    }
  });

  test('is a file of another kind, an animation, or a few bytes', async () => {
    for (const file of ['', '\u00ff\u00d8', 'GIF89a', '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>']) {
      expect(await checkPicture(Buffer.from(file, 'latin1'), shape)).toMatchObject({ ok: false, check: 'unreadable', message: 'no PNG, JPEG or WebP picture' });
    }
    expect(await checkPicture(photo('WebP animation').file, shape)).toMatchObject({ ok: false, check: 'unreadable', message: 'not a whole WebP picture (an animation of 2 pictures)' });
    await expect(pixelsOf(Buffer.from('GIF89a'), shape)).rejects.toThrow('no PNG, JPEG or WebP picture');
  });

  test('is one whose header declares gigabytes: it is refused before anything is unpacked', async () => {
    const bomb = changed(jpeg, (copy) => {
      copy.writeUInt16BE(65_500, marker(0xc0) + 5);
      copy.writeUInt16BE(65_500, marker(0xc0) + 7);
    });
    const before = process.memoryUsage().rss;
    expect(await checkPicture(bomb, shape)).toMatchObject({ ok: false, check: 'wrong-shape', message: 'pictures must be 13×18; found 65500×65500' });
    const resized = { ...shape, resize: 'bilinear' as const };
    expect(await checkPicture(bomb, resized)).toMatchObject({ ok: false, check: 'wrong-shape', message: 'pictures may have 32000000 pixels at most; found 65500×65500' });
    await expect(decodePictureFile(bomb, resized, 'p7')).rejects.toThrow("row 'p7': the picture is 65500 × 65500; it may have 32000000 pixels at most");
    await expect((await openPhoto(bomb)).decode()).rejects.toThrow('exceeds pixel limit');
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

test('what some cameras write in every header is no damage, and does not hide any', async () => {
  const scan = marker(0xda);
  const camera = changed(jpeg, (copy) => { copy[scan + 2 + copy.readUInt16BE(scan + 2) - 2] = 0; });
  expect(Buffer.from(await (await openPhoto(camera)).decode()).equals(ofJpeg)).toBe(true);
  expect(await checkPicture(camera.subarray(0, camera.length - 30), shape)).toMatchObject({ ok: false, check: 'unreadable' });
});
