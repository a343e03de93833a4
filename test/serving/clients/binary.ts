import { beforeAll, expect, test } from 'vitest';
import { until } from '../../support/until.js';
import { ask, goldenPicture, infer, type Fixture, type InferAnswer } from '../support.js';
import { passenger, type Served, type ServedModels } from '../tables.js';

let fixture: Fixture;
let models: ServedModels;


/** Sends JSON and what follows it. `announce` is what the header says of the JSON's length. */
async function send(model: string, request: unknown, tensors: readonly Uint8Array[], announce?: string): Promise<Response> {
  const header = Buffer.from(JSON.stringify(request));
  return fetch(`${models.url}/v2/models/${model}/infer`, {
    method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/octet-stream', 'inference-header-content-length': announce ?? String(header.length) },
    body: Buffer.concat([header, ...tensors]),
  });
}

/** The JSON of a binary answer, and the bytes of each of its binary outputs. */
async function read(response: Response): Promise<{ answer: InferAnswer; tensors: Map<string, Buffer> }> {
  const body = Buffer.from(await response.arrayBuffer());
  let at = Number(response.headers.get('inference-header-content-length'));
  const answer = JSON.parse(body.toString('utf8', 0, at)) as InferAnswer & { outputs: { name: string; parameters?: { binary_data_size: number } }[] };
  const tensors = new Map<string, Buffer>();
  for (const { name, parameters } of answer.outputs) if (parameters) tensors.set(name, body.subarray(at, (at += parameters.binary_data_size)));
  expect(at).toBe(body.length);
  return { answer, tensors };
}

const element = (content: string | Uint8Array) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.from(content).length);
  return Buffer.concat([length, Buffer.from(content)]);
};
const little = (write: (buffer: Buffer) => number, bytes: number) => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};

export function binaryTests(served: () => Served): void {
  beforeAll(() => {
    ({ fixture, models } = served());
  });

  test('a picture that comes as bytes is answered as one in JSON, its outputs as bytes where they are asked for, and logged alike', async () => {
    const { pixels } = goldenPicture(fixture.trained);
    const model = models.pictures;
    const asJson = await infer(models.url, fixture.token, model, { inputs: [{ name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8', data: pixels }] });
    const input = { name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8', parameters: { binary_data_size: 3072 } };
    const plain = await send(model, { id: 'bytes', inputs: [input] }, [Uint8Array.from(pixels)]);
    expect(await plain.json()).toMatchObject({ id: 'bytes', outputs: asJson.outputs });

    const all = await send(model, { parameters: { binary_data_output: true }, inputs: [{ ...input, datatype: 'FP32', parameters: { binary_data_size: 4 * 3072 } }] }, [new Uint8Array(Float32Array.from(pixels).buffer)]);
    expect([all.status, all.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    const { answer, tensors } = await read(all);
    expect(answer.outputs.map(({ name, datatype, data }) => ({ name, datatype, data }))).toEqual([{ name: 'probabilities', datatype: 'FP32', data: undefined }, { name: 'class', datatype: 'BYTES', data: undefined }]);
    const probabilities = new Float32Array(new Uint8Array(tensors.get('probabilities') ?? []).buffer);
    expect([...probabilities]).toEqual(asJson.outputs[0]?.data);
    expect(tensors.get('class')).toEqual(element(String(asJson.outputs[1]?.data[0])));

    const mixed = await read(await send(model, { inputs: [input], outputs: [{ name: 'class' }, { name: 'probabilities', parameters: { binary_data: true } }] }, [Uint8Array.from(pixels)]));
    expect([[...mixed.tensors.keys()], mixed.answer.outputs.find(({ name }) => name === 'class')?.data]).toEqual([['probabilities'], asJson.outputs[1]?.data]);
    const { predictions } = fixture.database.stores;
    await until(async () => expect(await predictions.findByRequest(model, 'bytes')).toHaveLength(1));
    expect([...((await predictions.findByRequest(model, 'bytes'))[0]?.input ?? [])]).toEqual(pixels);
  });

  test('columns of every datatype come as bytes; what they mean is what JSON would have meant', async () => {
    const model = models.table;
    const columns = { city: { datatype: 'BYTES', bytes: element('Wien') }, alone: { datatype: 'BOOL', bytes: Buffer.from([1]) }, booked: { datatype: 'BYTES', bytes: element(passenger.booked) } };
    const ages: [datatype: string, bytes: Buffer][] = [
      ['UINT8', Buffer.from([42])], ['INT8', Buffer.from([42])], ['UINT16', little((to) => to.writeUInt16LE(42), 2)], ['INT16', little((to) => to.writeInt16LE(42), 2)],
      ['UINT32', little((to) => to.writeUInt32LE(42), 4)], ['INT32', little((to) => to.writeInt32LE(42), 4)], ['UINT64', little((to) => to.writeBigUInt64LE(42n), 8)], ['INT64', little((to) => to.writeBigInt64LE(42n), 8)],
      ['FP16', little((to) => to.writeUInt16LE(0x5140), 2)], ['FP32', little((to) => to.writeFloatLE(42), 4)], ['FP64', little((to) => to.writeDoubleLE(42), 8)],
    ];
    const inputs = (age: { datatype: string; bytes: Buffer }) => Object.entries({ age, ...columns });
    const wanted = await infer(models.url, fixture.token, model, { inputs: Object.entries(passenger).map(([name, value]) => ({ name, shape: [1], datatype: { age: 'FP64', alone: 'BOOL' }[name] ?? 'BYTES', data: [value] })) });
    for (const [datatype, bytes] of ages) {
      const own = inputs({ datatype, bytes });
      const response = await send(model, { id: `as-${datatype}`, inputs: own.map(([name, column]) => ({ name, shape: [1, 1], datatype: column.datatype, parameters: { binary_data_size: column.bytes.length } })) }, own.map(([, column]) => column.bytes));
      expect([datatype, await response.json()]).toEqual([datatype, expect.objectContaining({ outputs: wanted.outputs })]);
    }
    const { predictions } = fixture.database.stores;
    await until(async () => expect(await predictions.findByRequest(model, 'as-FP16')).toHaveLength(1));
    const [kept] = await predictions.findByRequest(model, 'as-FP16');
    expect(JSON.parse(Buffer.from(kept?.input ?? []).toString())).toEqual(passenger);
  });

  test('the value of a regression comes as 64 bits', async () => {
    const input = { name: 'size', shape: [2], datatype: 'FP64', parameters: { binary_data_size: 16 } };
    const sizes = new Uint8Array(Float64Array.of(60.1, 70).buffer);
    const { answer, tensors } = await read(await send(models.prices, { inputs: [input], outputs: [{ name: 'value', parameters: { binary_data: true } }] }, [sizes]));
    const { outputs: [value] } = await (await send(models.prices, { inputs: [input] }, [sizes])).json() as InferAnswer;
    expect(answer.outputs).toEqual([{ name: 'value', shape: [2], datatype: 'FP64', parameters: { binary_data_size: 16 } }]);
    expect([...new Float64Array(new Uint8Array(tensors.get('value') ?? []).buffer)]).toEqual(value?.data);
  });

  test('bytes that do not add up are refused, and it is said where', async () => {
    const city = (bytes: Uint8Array) => ({ name: 'city', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: bytes.length } });
    const size = { name: 'size', shape: [1], datatype: 'FP64', parameters: { binary_data_size: 8 } };
    const eight = Buffer.alloc(8);
    const large = little((to) => to.writeBigUInt64LE(2n ** 64n - 1n), 8);
    const rest = [{ name: 'alone', shape: [1], datatype: 'BOOL', data: [true] }, { name: 'booked', shape: [1], datatype: 'BYTES', data: [passenger.booked] }];
    const cases: [what: string, status: number, message: RegExp, response: Response][] = [
      ['no length', 400, /Inference-Header-Content-Length is "many"/, await send(models.prices, { inputs: [size] }, [eight], 'many')],
      ['a length beyond the body', 400, /the body has \d+ bytes/, await send(models.prices, { inputs: [size] }, [eight], '100000')],
      ['a length within the JSON', 400, /not JSON/, await send(models.prices, { inputs: [size] }, [eight], '20')],
      ['too little', 400, /"size" announces 8 bytes; 4 are left/, await send(models.prices, { inputs: [size] }, [eight.subarray(4)])],
      ['too much', 400, /1 bytes follow the last tensor/, await send(models.prices, { inputs: [size] }, [eight, Buffer.alloc(1)])],
      ['another shape', 400, /"size" has 8 bytes where FP64 of shape \[2\] has 16/, await send(models.prices, { inputs: [{ ...size, shape: [2] }] }, [eight])],
      ['a number beyond 53 bits', 422, /"size", value 0: 18446744073709552000 is no UINT64/, await send(models.prices, { inputs: [{ ...size, datatype: 'UINT64' }] }, [large])],
      ['an element that was cut short', 400, /"city": element 0 is longer than what is left/, await send(models.table, { inputs: [city(Buffer.from([9, 0, 0, 0, 65])), ...rest] }, [Buffer.from([9, 0, 0, 0, 65])])],
      ['bytes that are no text', 422, /"city", value 0: its bytes are not text in UTF-8/, await send(models.table, { inputs: [city(element(Uint8Array.of(0xff))), ...rest] }, [element(Uint8Array.of(0xff))])],
    ];
    for (const [what, status, message, response] of cases) expect([what, response.status, await response.json()]).toEqual([what, status, { error: expect.stringMatching(message) as string }]);
    const header = JSON.stringify({ inputs: [size] });
    const untyped = await fetch(`${models.url}/v2/models/${models.prices}/infer`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'inference-header-content-length': String(header.length) }, body: Buffer.concat([Buffer.from(header), eight]) });
    expect(untyped.status).toBe(200); // as Triton's own client asks
    const bare = await fetch(`${models.url}/v2/models/${models.prices}/infer`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/octet-stream' }, body: eight });
    expect([bare.status, await bare.json()]).toEqual([400, { error: expect.stringContaining('needs the header Inference-Header-Content-Length') as string }]);
    expect((await ask(models.url, fixture.token, '/v2')).body).toMatchObject({ name: 'perennial', extensions: ['binary_tensor_data'] });
  });
}
