import { convertIndexedToRgb, decode, encode } from 'fast-png';
import type { DataProfile, ExamplePicture } from '../../../contract/data-profile.js';
import type { TypedColumn } from '../../../definition/columns.js';
import { DataSketch } from '../../../domain/profile/data-sketch.js';
import type { Images, PictureRow } from '../picture-rows.js';
import type { Spill } from '../spill.js';

const number = (name: string): TypedColumn => ({ name, type: 'number', nullable: false });
const ROWS_AT_ONCE = 2048;
/** Pictures kept for a class; more classes than this show none. */
const EXAMPLES = 4;
const CLASSES_SHOWN = 40;
/** Pixels of a side of a picture that is shown. */
const SIDE = 128;

/** The profile of pictures, from what was seen when each was decoded. */
export async function profilePictures({ rows, data, spill, seed }: { rows: readonly PictureRow[]; data: Images; spill: Spill; seed: number }): Promise<DataProfile> {
  const { height, width, channels } = data.image;
  const names = channels === 3 ? ['red', 'green', 'blue'] : [];
  const sketch = new DataSketch('images', data.target, [...['brightness', 'contrast', ...names, 'bytes'].map(number)], seed, { height, width, channels });
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const part = rows.slice(from, from + ROWS_AT_ONCE);
    const column = (of: (row: PictureRow) => number) => ({ numbers: Float64Array.from(part, of) });
    sketch.add(part.length, Int32Array.from(part, ({ label }) => sketch.classOf(label)), [
      column(({ figures }) => figures.brightness), column(({ figures }) => figures.contrast),
      ...names.map((_, channel) => column(({ figures }) => figures.channels[channel] ?? 0)), column(({ place }) => place.bytes),
    ]);
  }
  sketch.addExamples(await examplesOf(rows, data, spill));
  return sketch.state();
}

/** The pictures of each class whose pixels' digests are lowest. */
async function examplesOf(rows: readonly PictureRow[], { target }: Images, spill: Spill): Promise<ExamplePicture[]> {
  const examples: ExamplePicture[] = [];
  for (const name of target.classes.slice(0, CLASSES_SHOWN)) {
    const chosen = rows.filter(({ label }) => label === name).sort((a, b) => (a.digest < b.digest ? -1 : 1)).slice(0, EXAMPLES);
    for (const { key, digest, place } of chosen) examples.push({ class: name, key, digest, png: Buffer.from(shown(await spill.read(place))).toString('base64') });
  }
  return examples;
}

/** A picture as it is shown: a large one made smaller, each pixel the mean of those it stands for. */
function shown(png: Uint8Array): Uint8Array {
  const picture = decode(png);
  const { width, height, channels, palette } = picture;
  const factor = Math.ceil(Math.max(width, height) / SIDE);
  if (factor === 1) return png;
  const pixels = palette ? convertIndexedToRgb(picture) : picture.data;
  const depth = palette ? palette[0]?.length ?? 3 : channels;
  const [small, low] = [Math.floor(width / factor), Math.floor(height / factor)].map((side) => Math.max(1, side)) as [number, number];
  const data = new Uint8Array(small * low * depth);
  for (let y = 0; y < low; y += 1) {
    for (let x = 0; x < small; x += 1) {
      for (let channel = 0; channel < depth; channel += 1) {
        let [sum, n] = [0, 0];
        for (let dy = 0; dy < factor && y * factor + dy < height; dy += 1) {
          for (let dx = 0; dx < factor && x * factor + dx < width; dx += 1, n += 1) sum += pixels[((y * factor + dy) * width + x * factor + dx) * depth + channel] as number;
        }
        data[(y * small + x) * depth + channel] = Math.round(sum / n);
      }
    }
  }
  return encode({ width: small, height: low, channels: depth, depth: 8, data });
}
