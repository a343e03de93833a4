import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pngOf } from './fuzz/content.js';
import { ask, createFixture, type Fixture } from './support.js';
import { passenger, serveModels, type ServedModels } from './tables.js';

let fixture: Fixture;
let models: ServedModels;
beforeAll(async () => {
  fixture = await createFixture();
  models = await serveModels(fixture);
});
afterAll(() => fixture?.close());

const post = (path: string, body: unknown) => ask(models.url, fixture.token, path, body);
const predictPath = () => `/v1/models/${models.table}:predict`;

describe('what is no request', () => {
  /** All that a connection is answered to these bytes. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect(Number(new URL(models.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => { answer += chunk.toString(); });
    socket.end(bytes);
    await once(socket, 'close');
    return answer;
  }
  const get = (path: string, headers = 'Host: localhost\r\nConnection: close\r\n') => `GET ${path} HTTP/1.1\r\n${headers}\r\n`;

  test.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400, 'not a request'],
    ['an address that cannot be decoded', get('/v2/%ff'), 400, 'The address cannot be read'],
    ['no host', get('/v2', 'Connection: close\r\n'), 421, 'This host name is not served here.'],
    ['an expectation', get('/v2', 'Host: localhost\r\nExpect: the-impossible\r\n'), 417, 'Expect'],
    ['headers without end', get('/v2', `Host: localhost\r\nX: ${'x'.repeat(20_000)}\r\n`), 431, 'the headers are too large'],
    ['a bad address and a bad chunk', 'POST /%ff HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nxyz\r\n', 400, 'The address cannot be read'],
  ])('%s is answered once, as an error like all others', async (_what, bytes, status, error) => {
    const answer = await raw(bytes);
    expect(answer.match(/^HTTP\/1\.1 \d{3} /gm)).toEqual([`HTTP/1.1 ${status} `]);
    expect(answer).toMatch(/content-type: application\/json/i);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({ error: expect.stringContaining(error) as string });
  });

  test('names that every object has are no methods', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      expect(await post(`/v1/models/${models.table}:${name}`, {})).toMatchObject({ status: 404, body: { error: expect.stringContaining('POST is to :predict, :classify, :regress') as string } });
    }
  });
});

describe('what would keep the server busy, or fill its memory', () => {
  test('lists in lists without end are refused, also where a value is one', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    for (const body of [nested(100_000), `{"instances": ${nested(40_000)}}`]) expect(await post(predictPath(), body)).toMatchObject({ status: 400, body: { error: 'The body has more than 64 levels of arrays and objects in one another.' } });
    const { age: _age, ...others } = passenger;
    const value = await post(predictPath(), `{"instances": [{"age": ${nested(20_000)}, ${JSON.stringify(others).slice(1)}]}`);
    expect(value).toMatchObject({ status: 422, body: { error: expect.stringMatching(/^Input "age", value 0: .* is not a finite number/) as string } });
    const line = await fetch(`${models.url}/v2/models/${models.table}/stream`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-ndjson' }, body: nested(100_000) });
    expect(await line.json()).toEqual({ line: 1, status: 400, error: 'The line has more than 64 levels of arrays and objects in one another.' });
    const texts = { ...passenger, city: `${'['.repeat(100_000)}"` };
    expect((await post(predictPath(), { instances: [texts] })).body).not.toMatchObject({ error: expect.stringContaining('levels') as string }); // brackets in a text are no levels
  });

  test('lists without number are refused before they are parsed, also where they are empty', async () => {
    const many = (list: string) => `{"instances": [${`${list},`.repeat(1_250_000)}${list}]}`;
    for (const list of ['[]', '{}']) {
      const refused = await post(predictPath(), many(list));
      expect(refused).toMatchObject({ status: 413, body: { error: 'The body has more than 1,250,000 arrays and objects: send tensors flat or as bytes, pictures as files, or fewer rows at once.' } });
    }
    const picture = Array(32).fill(Array(32).fill([1, 2, 3]));
    expect((await post(`/v1/models/${models.pictures}:predict`, JSON.stringify({ instances: Array(64).fill(picture) }))).status).toBe(200);
  });

  test('rows beyond what a request may have are refused before they are looked at, and so are names beyond what a model can have', async () => {
    expect(await post(predictPath(), { instances: Array(60_000).fill({ a: 1 }) })).toMatchObject({ status: 413, body: { error: expect.stringContaining('1024 rows; this one has 60000') as string } });
    const names = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`n${at}`, at]));
    expect(await post(predictPath(), { instances: [names] })).toMatchObject({ status: 422, body: { error: 'The rows name 5000 inputs; a request may have 4096.' } });
    expect((await post(`/v1/models/${models.prices}:regress`, { examples: Array(70_000).fill(1) })).status).toBe(400);
  });

  test('a PNG that unpacks to more than it says, or says it twice, is refused before it is unpacked', async () => {
    const send = (png: Buffer) => post(`/v1/models/${models.pictures}:predict`, { instances: [{ b64: png.toString('base64') }] });
    expect(await send(pngOf(32, 32, 80 * 1024 ** 2))).toMatchObject({ status: 422, body: { error: 'Input "image": a PNG unpacks to more than its header says.' } });
    expect(await send(pngOf(32, 32, 3_104, { headers: 2 }))).toMatchObject({ status: 422, body: { error: 'Input "image": a PNG has several headers.' } });
    expect(await send(pngOf(32, 32, 3_104))).toMatchObject({ status: 200 });
  });
});

describe('what the answer says', () => {
  test('a message does not repeat megabytes, and says of what is not there that it is missing', async () => {
    const { status, body } = await post(`/v2/models/${models.table}/infer`, { inputs: [{ name: 'x'.repeat(100_000), shape: [1], datatype: 'FP64', data: [1] }], outputs: [{ name: 'y'.repeat(100_000) }] });
    expect(status).toBe(422);
    expect((body as { error: string }).error).toHaveLength(1_001);
    expect((await post(`/v2/models/${models.table}/infer`, { inputs: [{ name: 'age', shape: [1], datatype: 'FP64' }] })).body).toEqual({ error: 'The body is not an inference request: inputs.0.data: missing' });
  });

  test('an answer that would be no number is none: nothing is predicted, and nothing logged', async () => {
    const infinite = { status: 422, body: { error: 'Row 1: what the model gives for it is no finite number; its values may be too large.' } };
    expect(await post(`/v1/models/${models.prices}:predict`, { id: 'too-large', instances: [60, 1e308] })).toMatchObject(infinite);
    expect(await post(`/v1/models/${models.prices}:predict`, { id: 'large', instances: [60, 1e30] })).toMatchObject({ status: 200 });
  });
});
