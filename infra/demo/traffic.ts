import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PICTURE_SHAPE } from './darken.js';
import type { Picture } from './sheets.js';

/** `<role>.json` beside `<role>.bin`: row i's pixels are the i-th `height × width × channels` bytes. */
export const TrafficIndex = z.strictObject({
  v: z.literal(1),
  shape: z.array(z.int()).length(3),
  rows: z.array(z.strictObject({ name: z.string(), label: z.string() })),
});
export type TrafficIndex = z.infer<typeof TrafficIndex>;

/** A picture to send to the model: `pixels` uint8 row-major, `label` what it really shows. */
export interface TrafficRow { readonly name: string; readonly label: string; readonly pixels: Uint8Array }

/** Packs pictures into `<role>.bin` and `<role>.json`; each replaces its old file at once. */
export async function writeTraffic(folder: string, role: string, pictures: readonly Picture[]): Promise<void> {
  const index: TrafficIndex = { v: 1, shape: [...PICTURE_SHAPE], rows: pictures.map(({ digest, label }) => ({ name: `${role}-${digest.slice(0, 16)}`, label })) };
  await replace(join(folder, `${role}.bin`), Buffer.concat(pictures.map(({ pixels }) => pixels)));
  await replace(join(folder, `${role}.json`), `${JSON.stringify(index)}\n`);
}

async function replace(file: string, content: Uint8Array | string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

/**
 * Rows of a packed file, in its order, one at a time.
 * @param from first row, @param rows at most this many
 */
export async function* readTraffic(folder: string, role: string, from = 0, rows = Infinity): AsyncGenerator<TrafficRow> {
  const index = TrafficIndex.parse(JSON.parse(await readFile(join(folder, `${role}.json`), 'utf8')));
  const size = index.shape.reduce((product, length) => product * length, 1);
  const file = await open(join(folder, `${role}.bin`));
  try {
    for (let row = from; row < Math.min(index.rows.length, from + rows); row += 1) {
      const pixels = new Uint8Array(size);
      const { bytesRead } = await file.read(pixels, 0, size, row * size);
      const entry = index.rows[row];
      if (bytesRead !== size || !entry) throw new Error(`${join(folder, `${role}.bin`)} ends in row ${row}: prepare the pictures again`);
      yield { ...entry, pixels };
    }
  } finally {
    await file.close();
  }
}
