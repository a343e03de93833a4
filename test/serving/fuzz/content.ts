import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { bitten, mutated } from './mutate.js';

/** A body, with the headers that go with it. */
export interface Content { readonly type: string; readonly body: Buffer; readonly headerLength?: string; readonly encoding?: string }

/** JSON and tensors behind it: lengths that add up or do not, of the JSON, of each tensor, and of the elements in them. */
export function binaryBody(header: { readonly inputs: readonly object[]; readonly parameters?: object }, tensors: readonly Buffer[]): fc.Arbitrary<Content> {
  const sizes = tensors.map((tensor) => fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>(tensor.length) }, { weight: 1, arbitrary: fc.constantFrom<unknown>(0, 1, tensor.length - 1, tensor.length + 1, 2 ** 31, 2 ** 53, -1, 1.5, '8', null) }));
  const parts = fc.tuple(...sizes).chain((list) => fc.tuple(
    mutated({ ...header, inputs: header.inputs.map((input, index) => ({ ...input, parameters: { binary_data_size: list[index] } })) }),
    fc.tuple(...tensors.map((tensor) => bitten(fc.constant(tensor)))),
    fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1, -1_000_000, 1_000_000) }),
    fc.oneof({ weight: 12, arbitrary: fc.constant<string | null>(null) }, { weight: 1, arbitrary: fc.constantFrom<string | null>('0', '-1', '1e3', '', '999999999', '99999999999999999999', '0x10', '12, 12') }),
  ));
  return parts.map(([json, list, off, said]) => {
    const text = Buffer.from(json, 'utf8');
    return { type: 'application/octet-stream', body: Buffer.concat([text, ...list]), headerLength: said ?? String(text.length + off) };
  });
}

/** A PNG whose header says its size (and another one another, where asked), and whose pixels unpack to `bytes` zeros, whatever the header says. */
export function pngOf(width: number, height: number, bytes: number, { headers = 1 } = {}): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = (at: number) => {
    const data = Buffer.alloc(13);
    data.writeUInt32BE((width * 2 ** at) % 2 ** 32, 0);
    data.writeUInt32BE((height * 2 ** at) % 2 ** 32, 4);
    data.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
    return chunk('IHDR', data);
  };
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...Array.from({ length: headers }, (_, at) => header(at * 10)), chunk('IDAT', deflateSync(Buffer.alloc(bytes))), chunk('IEND', Buffer.alloc(0))]);
}

/** As PNG has it (ISO 3309). */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

let bomb: Buffer | null = null;
/** 64 MB of pixels in 64 kB, announced as one pixel's. */
export const bombOf = (): Buffer => (bomb ??= pngOf(1, 1, 64 * 1024 ** 2));

/** Pictures as files: whole, cut, of another kind than they say, larger than their bytes, and bombs. */
export function pictureFile({ png, jpeg, webp }: { readonly png: Buffer; readonly jpeg: Buffer; readonly webp: Buffer }): fc.Arbitrary<Content> {
  const type = fc.constantFrom('image/png', 'image/jpeg', 'image/webp');
  const huge = fc.constantFrom([65_535, 65_535], [2 ** 31 - 1, 1], [5_000, 5_000], [0, 0], [32, 32], [33, 31]).chain(([width = 0, height = 0]) => fc.constantFrom(1, 1, 2).map((headers) => pngOf(width, height, 3_104, { headers })));
  const sized = jpeg.indexOf(Buffer.from([0xff, 0xc0])); // a JPEG's frame: its height and width follow
  const file = fc.oneof(
    { weight: 12, arbitrary: bitten(fc.constantFrom(png, jpeg, webp)) }, { weight: 3, arbitrary: huge }, { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)).map((empty) => empty) }, { weight: 1, arbitrary: fc.constant(null).map(bombOf) },
    { weight: 2, arbitrary: fc.constantFrom(0xffff, 0x4000, 0).map((size) => { const lying = Buffer.from(jpeg); if (sized > 0) { lying.writeUInt16BE(size, sized + 5); lying.writeUInt16BE(size, sized + 7); } return lying; }) },
    { weight: 1, arbitrary: fc.constantFrom('GIF89a', 'II*\u0000', 'BM', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'RIFF\u0010\u0000\u0000\u0000WEBPVP8X').map((text) => Buffer.from(text, 'latin1')) },
  );
  return fc.tuple(type, file).map(([kind, body]) => ({ type: kind, body }));
}
