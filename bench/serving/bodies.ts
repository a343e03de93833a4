import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTraffic } from '../../infra/demo/traffic.js';

export type Encoding = 'json' | 'binary';

/** Files with one request each: JSON, the protocol's binary form, and the pixels alone. */
export interface Bodies { readonly json: string[]; readonly binary: string[]; readonly raw: string[]; readonly bytes: Record<Encoding, number>; /** of the JSON before the pixels, in each of `binary` */ readonly headerBytes: number }

const BODIES = 64;

/** Real pictures by day, one a request. */
export async function writeBodies(pictures: string, folder: string): Promise<Bodies> {
  const bodies = { json: [] as string[], binary: [] as string[], raw: [] as string[], bytes: { json: 0, binary: 0 }, headerBytes: 0 };
  const input = { name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8' };
  for await (const { pixels } of readTraffic(pictures, 'day', 0, BODIES)) {
    const json = Buffer.from(JSON.stringify({ inputs: [{ ...input, data: [...pixels] }] }));
    const header = Buffer.from(JSON.stringify({ inputs: [{ ...input, parameters: { binary_data_size: pixels.length } }] }));
    const binary = Buffer.concat([header, pixels]);
    for (const [kind, content] of [['json', json], ['binary', binary], ['raw', pixels]] as const) {
      const file = join(folder, `body-${bodies[kind].length}.${kind}`);
      await writeFile(file, content);
      bodies[kind].push(file);
    }
    Object.assign(bodies, { bytes: { json: json.length, binary: binary.length }, headerBytes: header.length });
  }
  return bodies;
}
