import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { until } from '../support/until.js';
import { useForeignClient } from './foreign-client.js';
import { goldenPicture } from './support.js';

/** NVIDIA's client for Triton, which speaks the Open Inference Protocol with tensors as bytes unless told otherwise. */
const CLIENT = 'tritonclient[http]==2.73.0';

const client = useForeignClient(CLIENT);

test('Triton\'s own client asks for health, metadata and predictions, in JSON and in bytes, and reads our errors', async () => {
  const { fixture, models, ask } = client();
  const golden = goldenPicture(fixture.trained);
  const [pixels, png] = [join(fixture.folder, 'pixels'), join(fixture.folder, 'picture.png')];
  await writeFile(pixels, Uint8Array.from(golden.pixels));
  await writeFile(png, encode({ width: 32, height: 32, channels: 3, data: Uint8Array.from(golden.pixels) }));
  const said = await ask('triton_client.py', [new URL(models.url).host, fixture.token, models.pictures, models.table, pixels, png]) as Record<string, unknown> & { row: [number[][], number[][]] };
  const probabilities = [golden.probabilities.map((value) => expect.closeTo(value, 5) as number)];
  const answer = { id: 'from-triton', version: '1', probabilities, class: [golden.class] };
  expect(said).toMatchObject({
    live: true, ready: true, model_ready: true, version_ready: true, unknown_ready: false,
    server: { name: 'perennial', extensions: ['binary_tensor_data'] }, model: [{ name: 'image', datatype: 'UINT8', shape: [-1, 32, 32, 3] }],
    json: answer, binary: answer, floats: answer, whole: answer, file: probabilities,
    unknown: { status: '404', message: expect.stringContaining('not served here') as string },
    wrong: { status: '422', message: expect.stringContaining('Missing input: image') as string },
  });
  expect(said.row[0]).toEqual(said.row[1]);
  const { predictions } = fixture.database.stores;
  await until(async () => expect(await predictions.findByRequest(models.pictures, 'from-triton')).toHaveLength(4));
  for (const { attributes } of await predictions.findByRequest(models.pictures, 'from-triton')) expect(attributes).toEqual({ light: 'night' });
});
