import { decode, encode } from 'fast-png';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { until } from '../../support/until.js';
import { ask, goldenPicture, type Fixture, type InferAnswer } from '../support.js';
import type { Served, ServedModels } from '../tables.js';

let fixture: Fixture;
let models: ServedModels;
let png: Buffer;
let golden: ReturnType<typeof goldenPicture>;

const file = (bytes: Uint8Array = png) => ({ b64: Buffer.from(bytes).toString('base64') });
const infer = (inputs: unknown, model = models.pictures) => ask(models.url, fixture.token, `/v2/models/${model}/infer`, { inputs });
async function send(body: Uint8Array, { type = 'image/png', query = '', model = models.pictures } = {}) {
  const response = await fetch(`${models.url}/v2/models/${model}/infer${query}`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': type }, body: Buffer.from(body) });
  return { status: response.status, body: await response.json() as InferAnswer };
}

export function pictureTests(served: () => Served): void {
  beforeAll(() => {
    ({ fixture, models } = served());
    golden = goldenPicture(fixture.trained);
    png = Buffer.from(encode({ width: 32, height: 32, channels: 3, data: Uint8Array.from(golden.pixels) }));
  });

  test('a picture is taken as a file: alone as the body, in base64, or behind the JSON; its pixels are what is predicted and logged', async () => {
    const outputs = [{ name: 'probabilities', shape: [1, 2], data: golden.probabilities.map((value) => expect.closeTo(value, 5) as number) }, { name: 'class', data: [golden.class] }];
    expect(await send(png, { query: '?id=file-1&light=night' })).toMatchObject({ status: 200, body: { id: 'file-1', outputs } });
    expect((await infer([{ name: 'image', datatype: 'BYTES', shape: [1, 1], data: [file()] }])).body).toMatchObject({ outputs });
    expect((await ask(models.url, fixture.token, `/v1/models/${models.pictures}:predict`, { instances: [file(), { image: file() }] })).body).toMatchObject({ predictions: [{ class: golden.class }, { class: golden.class }] });
    const grey = Buffer.from(encode({ width: 32, height: 32, channels: 1, data: Uint8Array.from(golden.pixels.filter((_, at) => at % 3 === 0)) }));
    expect((await send(grey)).status).toBe(200);
    const photo = sharp(Uint8Array.from(golden.pixels), { raw: { width: 32, height: 32, channels: 3 } });
    const [jpeg, webp] = [await photo.clone().jpeg({ quality: 100 }).toBuffer(), await photo.clone().webp({ lossless: true }).toBuffer()];
    expect(await send(webp, { type: 'image/webp' })).toMatchObject({ status: 200, body: { outputs } });
    const pixels = [...await sharp(jpeg).raw().toBuffer()];
    const { body: wanted } = await infer([{ name: 'image', datatype: 'UINT8', shape: [1, 32, 32, 3], data: pixels }]) as { body: InferAnswer };
    expect(await send(jpeg, { type: 'image/jpeg' })).toMatchObject({ status: 200, body: { outputs: wanted.outputs } });
    const { predictions } = fixture.database.stores;
    await until(async () => expect(await predictions.findByRequest(models.pictures, 'file-1')).toHaveLength(1));
    const [kept] = await predictions.findByRequest(models.pictures, 'file-1');
    expect(kept).toMatchObject({ attributes: { light: 'night' }, inputShape: [32, 32, 3] });
    expect([...(kept?.input ?? [])]).toEqual(golden.pixels);
  });

  test('what is no picture, or another one than the model takes, is refused and the row named', async () => {
    const small = Buffer.from(encode({ width: 8, height: 8, channels: 3, data: new Uint8Array(192) }));
    expect(decode(small).width).toBe(8);
    const claimed = Buffer.from(png);
    claimed.writeUInt32BE(100_000, 16);
    claimed.writeUInt32BE(100_000, 20);
    const input = { name: 'image', datatype: 'BYTES', shape: [2], data: [file(), file(small)] };
    const cases: [what: string, status: number, message: RegExp, answer: { status: number; body: unknown }][] = [
      ['no picture', 422, /"image", row '0': no PNG, JPEG or WebP picture/, await send(Buffer.from('GIF89a'))],
      ['one cut short', 422, /row '0': the picture is no readable PNG/, await send(png.subarray(0, 200))],
      ['another size', 422, /row '1': the picture is 8 × 8, the definition says 32 × 32/, await infer([input])],
      ['a small file of many pixels', 413, /32000000 pixels/, await send(claimed)],
      ['fewer files than rows', 422, /has 1 pictures where its shape says 2/, await infer([{ ...input, data: [file()] }])],
      ['a text for a file', 422, /picture 0: a picture as BYTES is/, await infer([{ ...input, data: ['x', 'y'] }])],
      ['too many', 413, /1024 rows/, await infer([{ ...input, shape: [2000], data: Array(2000).fill(file(Buffer.from('x'))) }])],
      ['a picture for a table', 422, /takes columns, not a picture/, await send(png, { model: models.table })],
      ['a body of another type', 415, /image\/png/, await send(png, { type: 'text/plain' })],
    ];
    for (const [what, status, message, answer] of cases) expect([what, answer.status, answer.body]).toEqual([what, status, { error: expect.stringMatching(message) as string }]);
  });
}
