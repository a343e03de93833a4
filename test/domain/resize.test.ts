import { readFileSync } from 'node:fs';
import { encode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkPng } from '../../activities/data/check-picture.js';
import { Signature } from '../../contract/package.js';
import { ResizeMethod } from '../../definition/resize.js';
import { MOST_PIXELS, resizePixels } from '../../domain/resize.js';
import { decodePicture } from '../../runtime/data/picture.js';
import { parseInferenceRequest } from '../../serving/protocol/request.js';
import { modelMetadata } from '../../serving/protocol/metadata.js';
import { rowsOf } from '../../serving/protocol/rows.js';

const Case = z.object({ height: z.int(), width: z.int(), channels: z.int(), to: z.object({ height: z.int(), width: z.int() }), method: ResizeMethod, pixels: z.array(z.int()) });
const cases = z.array(Case).parse(JSON.parse(readFileSync(new URL('golden/resize.json', import.meta.url), 'utf8')));
const source = (values: number) => Uint8Array.from({ length: values }, (_, index) => (index * index * 7 + index * 13) % 251);

describe('a picture in another size', () => {
  // Pillow rounds between its two passes, to 8 bits: a value may be one off.
  test.each(cases)('$height×$width×$channels becomes $to.height×$to.width by $method as Pillow makes it', ({ to, method, pixels, ...shape }) => {
    const resized = resizePixels(source(shape.height * shape.width * shape.channels), shape, to, method);
    expect(resized).toHaveLength(pixels.length);
    expect(Math.max(...resized.map((value, index) => Math.abs(value - (pixels[index] ?? 0))))).toBeLessThanOrEqual(method === 'nearest' ? 0 : 1);
  });

  test('of one colour keeps it, and one of the right size is what it was', () => {
    expect(resizePixels(new Uint8Array(300).fill(77), { height: 10, width: 10, channels: 3 }, { height: 7, width: 23 }, 'bilinear').every((value) => value === 77)).toBe(true);
    const same = source(12);
    expect(resizePixels(same, { height: 2, width: 2, channels: 3 }, { height: 2, width: 2 }, 'bilinear')).toBe(same);
  });
});

describe('a model that resizes', () => {
  const shape = { height: 4, width: 6, channels: 3, resize: 'bilinear' as const };
  const large = { height: 9, width: 14, channels: 3 };
  const pixels = source(9 * 14 * 3);
  const png = encode({ ...large, depth: 8, data: pixels });
  const signature = Signature.parse({ inputs: [{ name: 'image', datatype: 'UINT8', shape: [4, 6, 3], resize: 'bilinear' }], outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2] }], classes: ['a', 'b'] });
  const ask = (of: readonly number[], data: readonly number[], asked = signature) => rowsOf(parseInferenceRequest({ inputs: [{ name: 'image', datatype: 'UINT8', shape: of, data }] }), asked, 10);

  test('sees the same bytes in a snapshot, in batch scoring and in the server', () => {
    const stored = checkPng(png, shape);
    if (!stored.ok) throw new Error(stored.message);
    const inTraining = decodePicture(stored.png, { height: 4, width: 6, channels: 3 }, 'row');
    expect([...decodePicture(png, shape, 'row')]).toEqual([...inTraining]);
    const asked = ask([2, 9, 14, 3], [...pixels, ...pixels]);
    expect(asked).toMatchObject({ count: 2, datatype: 'UINT8', shape: [4, 6, 3] });
    expect([...asked.input as Uint8Array]).toEqual([...inTraining, ...inTraining]);
  });

  test('says that it takes any size, and what it makes of it', () => {
    expect(modelMetadata('m', 1, 1, signature, [1]).inputs).toEqual([{ name: 'image', datatype: 'UINT8', shape: [-1, -1, -1, 3], parameters: { resize: 'bilinear', height: 4, width: 6 } }]);
  });

  test('refuses other channels, sizes without a pixel and pictures that are too large, and nobody else resizes', () => {
    expect(() => ask([1, 9, 14, 1], [...source(9 * 14)])).toThrow('the model takes [n, height, width, 3]');
    expect(() => ask([1, 0, 14, 3], [])).toThrow('the model takes [n, height, width, 3]');
    expect(() => ask([1, 65_500, 65_500, 3], [1])).toThrow(`A request may hold ${MOST_PIXELS} pixels`);
    const [input] = signature.inputs;
    expect(() => ask([1, 9, 14, 3], [...pixels], { ...signature, inputs: [{ ...input, resize: undefined }] } as Signature)).toThrow('has shape [1, 9, 14, 3]; the model takes [n, 4, 6, 3]');
    const bomb = Buffer.from(png);
    bomb.writeUInt32BE(65_500, 16);
    bomb.writeUInt32BE(65_500, 20);
    expect(checkPng(bomb, shape)).toMatchObject({ ok: false, check: 'wrong-shape', message: `pictures may have ${MOST_PIXELS} pixels at most; found 65500×65500` });
    expect(() => decodePicture(bomb, shape, 'row 7')).toThrow(/row 'row 7': the picture is 65500 × 65500; it may have 32000000 pixels at most/);
  });
});
