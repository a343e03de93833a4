import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { until } from '../../support/until.js';
import { ask, goldenPicture, infer, type Fixture } from '../support.js';
import { passenger, type Served, type ServedModels } from '../tables.js';

let fixture: Fixture;
let models: ServedModels;

const post = (path: string, body: unknown) => ask(models.url, fixture.token, `/v1/models/${path}`, body);
const rows = [passenger, { ...passenger, age: null, city: 'Graz' }];
const closeTo = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5) as number);

/** What the Open Inference Protocol answers for the rows: probabilities and class of each. */
async function inferred(): Promise<{ probabilities: number[]; class: string }[]> {
  const column = (name: keyof typeof passenger, datatype: string) => ({ name, datatype, shape: [2], data: rows.map((row) => row[name]) });
  const { outputs: [probabilities, classes] } = await infer(models.url, fixture.token, models.table, { inputs: [column('age', 'FP64'), column('city', 'BYTES'), column('alone', 'BOOL'), column('booked', 'BYTES')] });
  return rows.map((_, row) => ({ probabilities: closeTo((probabilities?.data as number[]).slice(row * 2, row * 2 + 2)), class: String(classes?.data[row]) }));
}

export function tensorFlowServingTests(served: () => Served): void {
  beforeAll(() => {
    ({ fixture, models } = served());
  });

  test('rows by name and columns by name are answered alike, and as by the other protocol; what is left out is missing', async () => {
    const wanted = await inferred();
    const { age: _age, ...without } = { ...passenger, city: 'Graz' };
    const byRows = await post(`${models.table}:predict`, { signature_name: 'serving_default', instances: [passenger, without] });
    expect(byRows).toMatchObject({ status: 200, body: { predictions: wanted, parameters: { version: 1, generation: 1, arm: 'live' } } });
    const columns = Object.fromEntries(Object.keys(passenger).map((name) => [name, rows.map((row) => row[name as keyof typeof passenger])]));
    const byColumns = await post(`${models.table}/versions/1:predict`, { inputs: { ...columns, alone: [[true], [true]] } });
    expect(byColumns.body).toMatchObject({ outputs: { probabilities: wanted.map(({ probabilities }) => probabilities), class: wanted.map((row) => row.class) } });
    const encoded = await post(`${models.table}/labels/live:predict`, { instances: [{ ...passenger, city: { b64: Buffer.from('Wien').toString('base64') } }] });
    expect(encoded.body).toMatchObject({ predictions: wanted.slice(0, 1) });
  });

  test('classes and values come in the shapes of classify and regress; a model with one input takes its values alone', async () => {
    const [first, second] = await inferred();
    const { age, city: _city, ...shared } = passenger;
    const classified = await post(`${models.table}:classify`, { context: shared, examples: [{ age, city: 'Wien' }, { city: 'Graz' }] });
    expect(classified.body).toMatchObject({ result: [first, second].map((row) => [['no', row?.probabilities[0]], ['yes', row?.probabilities[1]]]) });
    const regressed = await post(`${models.prices}:regress`, { examples: [{ size: 60 }, { size: [70] }] });
    const { result } = regressed.body as { result: number[] };
    expect(result).toEqual([expect.any(Number), expect.any(Number)]);
    expect((await post(`${models.prices}:predict`, { instances: [60, [70]] })).body).toMatchObject({ predictions: result });
    expect((await post(`${models.prices}:predict`, { inputs: [60, 70] })).body).toMatchObject({ outputs: result });
  });

  test('pictures come as nested numbers or as files in base64; every prediction is in the log, with the caller\'s id and attributes', async () => {
    const { pixels, probabilities, class: named } = goldenPicture(fixture.trained);
    const nested = Array.from({ length: 32 }, (_, y) => Array.from({ length: 32 }, (__, x) => pixels.slice((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)));
    const prediction = { class: named, probabilities: closeTo(probabilities) };
    const answer = await post(`${models.pictures}:predict`, { id: 'from-tensorflow', parameters: { light: 'night' }, instances: [nested, { image: nested }] });
    expect(answer).toMatchObject({ status: 200, body: { id: 'from-tensorflow', predictions: [prediction, prediction] } });
    const { predictions } = fixture.database.stores;
    await until(async () => expect(await predictions.findByRequest(models.pictures, 'from-tensorflow')).toHaveLength(2));
    const [kept] = await predictions.findByRequest(models.pictures, 'from-tensorflow');
    const { parameters } = answer.body as { parameters: { prediction_ids: string[] } };
    expect(kept).toMatchObject({ id: parameters.prediction_ids[0], attributes: { light: 'night' }, outputs: { class: named } });
    expect([...(kept?.input ?? [])]).toEqual(pixels);
  });

  test('a canary is asked by its label; status and metadata are those of the route', async () => {
    const { model, environment } = await fixture.place();
    const { stores } = fixture.database;
    const [live, canary] = [await fixture.addVersion(model), await fixture.addVersion(model)];
    await stores.routes.write({ environment, model, expected: 0, intent: randomUUID(), arms: [{ version: live, role: 'live', share: 0.9 }, { version: canary, role: 'canary', share: 0.1 }], keepWarmMs: 1000, by: 'test', reason: 'test' });
    const server = await fixture.serve(environment);
    const get = (path: string) => ask(server.url, fixture.token, `/v1/models/${path}`);
    const state = (version: number) => ({ version: String(version), state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } });
    expect((await get(model)).body).toEqual({ name: model, ready: true, model_version_status: [state(live), state(canary)] });
    expect((await get(`${model}/versions/${canary}`)).body).toEqual({ name: model, ready: true, model_version_status: [state(canary)] });
    expect((await get(`${model}/versions/9`)).status).toBe(404);
    const metadata = await get(`${model}/labels/canary/metadata`);
    expect(metadata.body).toMatchObject({
      model_spec: { name: model, version: String(canary) },
      metadata: { signature_def: { signature_def: { serving_default: {
        inputs: { image: { dtype: 'DT_UINT8', tensor_shape: { dim: [{ size: '-1' }, { size: '32' }, { size: '32' }, { size: '3' }] } } },
        outputs: { probabilities: { dtype: 'DT_FLOAT' }, class: { dtype: 'DT_STRING' } }, method_name: 'tensorflow/serving/predict',
      } } } },
    });
    const { pixels } = goldenPicture(fixture.trained);
    const inputs = { image: [Array.from({ length: 32 }, (_, y) => Array.from({ length: 32 }, (__, x) => pixels.slice((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)))] };
    for (let call = 0; call < 5; call += 1) expect((await ask(server.url, fixture.token, `/v1/models/${model}/labels/canary:predict`, { inputs })).body).toMatchObject({ parameters: { version: canary, arm: 'canary' } });
    await server.close();
  });

  test('what is asked wrongly is refused with the status that says why', async () => {
    const { table, prices } = models;
    const cases: [what: string, status: number, message: RegExp, path: string, body: unknown][] = [
      ['broken JSON', 400, /not JSON/, `${table}:predict`, '{"instances": ['],
      ['rows and columns', 400, /`instances` or `inputs`, one of them/, `${prices}:predict`, { instances: [1], inputs: [1] }],
      ['neither', 400, /`instances` or `inputs`, one of them/, `${prices}:predict`, {}],
      ['no examples', 400, /examples/, `${table}:classify`, { instances: [passenger] }],
      ['unknown model', 404, /not served here/, 'nobody:predict', { instances: [1] }],
      ['unknown version', 404, /Version 7 /, `${prices}/versions/7:predict`, { instances: [1] }],
      ['unknown label', 404, /no label "stable": versions are live/, `${prices}/labels/stable:predict`, { instances: [1] }],
      ['a label that no version has', 404, /A canary version/, `${prices}/labels/canary:predict`, { instances: [1] }],
      ['unknown method', 404, /POST is to :predict, :classify, :regress/, `${prices}:explain`, { instances: [1] }],
      ['unknown signature', 422, /no signature "other"/, `${prices}:predict`, { signature_name: 'other', instances: [1] }],
      ['a number of a classification', 422, /ask :classify/, `${table}:regress`, { examples: [passenger] }],
      ['classes of a regression', 422, /ask :regress/, `${prices}:classify`, { examples: [{ size: 1 }] }],
      ['values without names', 422, /each value needs its name: age, city/, `${table}:predict`, { instances: [42] }],
      ['a column that is not there', 422, /Unknown input: price/, `${prices}:predict`, { instances: [{ size: 1, price: 2 }] }],
      ['a missing value', 422, /"city", value 1: null is not text/, `${table}:predict`, { instances: [passenger, { ...passenger, city: undefined }] }],
      ['columns of two lengths', 422, /"alone" has shape \[1\]/, `${table}:predict`, { inputs: { age: [1, 2], city: ['a', 'b'], alone: [true], booked: [passenger.booked, passenger.booked] } }],
      ['pictures of two sizes', 422, /nested data has 1 elements/, `${models.pictures}:predict`, { instances: [Array(32).fill(Array(32).fill([1, 2, 3])), [[[1, 2, 3]]]] }],
    ];
    for (const [what, status, message, path, body] of cases) {
      const answer = await post(path, body);
      expect([what, answer.status, answer.body]).toEqual([what, status, { error: expect.stringMatching(message) as string }]);
    }
    const call = (headers: Record<string, string>) => fetch(`${models.url}/v1/models/${prices}:predict`, { method: 'POST', headers, body: '{"instances": [60]}' });
    expect((await call({ 'content-type': 'application/json' })).status).toBe(401);
    expect((await call({ authorization: `Bearer ${fixture.token}`, 'content-type': 'text/xml' })).status).toBe(415);
    expect((await call({ authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(200);
  });
}
