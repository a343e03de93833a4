import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from 'fast-png';
import { loadNativeParts } from '../../../infra/native.js';

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const CLASSES: Readonly<Record<number, string>> = { 1: 'car', 9: 'truck' };

export interface Picture { readonly label: string; readonly png: Uint8Array }

/** Real pictures of cars and trucks from CIFAR-10's test sheet, the first `count` of them. */
export function carsAndTrucks(count: number): Picture[] {
  const { cifar10 } = loadNativeParts();
  const labels = JSON.parse(readFileSync(join(cifar10, 'test_lables.json'), 'utf8')) as number[];
  const sheet = decode(readFileSync(join(cifar10, 'test_batch.png')));
  const pictures: Picture[] = [];
  for (let row = 0; row < labels.length && pictures.length < count; row += 1) {
    const label = CLASSES[labels[row] ?? 0];
    if (label === undefined) continue;
    const data = new Uint8Array(PIXELS * 3);
    for (let pixel = 0; pixel < PIXELS; pixel += 1) {
      for (let channel = 0; channel < 3; channel += 1) data[pixel * 3 + channel] = sheet.data[(row * PIXELS + pixel) * sheet.channels + channel] ?? 0;
    }
    pictures.push({ label, png: encode({ width: SIDE, height: SIDE, channels: 3, depth: 8, data }) });
  }
  return pictures;
}
