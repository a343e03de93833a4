import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { until } from '../support/until.js';
import { useForeignClient } from './foreign-client.js';
import { goldenPicture } from './support.js';

/** KServe's own client for inference, which speaks the Open Inference Protocol (its V2) and its V1, whose predictions are TensorFlow Serving's. */
const CLIENT = 'kserve==0.21.0';

const client = useForeignClient(CLIENT);

interface Row { probabilities: number[]; class: string[] }

test('KServe\'s own client asks for health and predictions by both of its protocols, in JSON and in bytes, and reads our errors', async () => {
  const { fixture, models, ask } = client();
  const golden = goldenPicture(fixture.trained);
  const [pixels, png] = [join(fixture.folder, 'pixels'), join(fixture.folder, 'picture.png')];
  await writeFile(pixels, Uint8Array.from(golden.pixels));
  await writeFile(png, encode({ width: 32, height: 32, channels: 3, data: Uint8Array.from(golden.pixels) }));
  const { v1, v2 } = await ask('kserve_client.py', [models.url, fixture.token, models.pictures, models.table, models.prices, pixels, png]) as { v1: Record<string, unknown>; v2: Record<string, unknown> & { rows: Row[]; price: { value: number[] } } };

  const probabilities = golden.probabilities.map((value) => expect.closeTo(value, 5) as number);
  const picture = { id: 'from-kserve', model: models.pictures, version: 1, probabilities, class: [golden.class] };
  const error = (status: number, text: string) => ({ status, message: expect.stringMatching(new RegExp(`^${text}.*'${status} `)) as string });
  expect(v2).toMatchObject({
    live: true, ready: true, model_ready: true, unknown_ready: false,
    json: picture, binary: picture, all_binary: picture, some_binary: picture, file: picture,
    unknown: error(404, 'Model nobody is not served here'), missing: error(422, 'Missing input: '), wrong: error(422, 'Missing input: image'),
    nobody: error(401, 'Send `Authorization'), nonsense: error(400, 'The body is not an inference request: inputs: '),
  });
  const [row] = v2.rows;
  expect(row?.class).toHaveLength(2);
  for (const other of v2.rows) expect(other).toEqual(row);
  expect(v2.price.value).toEqual([expect.any(Number)]);

  const [no = 0, yes = 0] = row?.probabilities ?? [];
  const prediction = { probabilities: [expect.closeTo(no, 5), expect.closeTo(yes, 5)], class: row?.class[0] };
  expect(v1).toMatchObject({
    live: true, model_ready: true, unknown_ready: error(404, 'Model nobody is not served here'),
    rows: [prediction, prediction], picture: [{ probabilities, class: golden.class }],
    unknown: error(404, 'Model nobody is not served here'), wrong: error(422, 'Missing input: city, alone, booked'),
  });

  const { predictions } = fixture.database.stores;
  await until(async () => expect(await predictions.findByRequest(models.pictures, 'from-kserve')).toHaveLength(5));
  const attributes = (await predictions.findByRequest(models.pictures, 'from-kserve')).map((one) => one.attributes);
  expect(attributes.filter(({ light }) => light === 'night')).toHaveLength(4); // the file was sent without
});
