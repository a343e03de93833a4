import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';
import { StreamAnswer } from '../../../serving/protocol/stream.js';
import { until } from '../../support/until.js';
import { ask, type Fixture } from '../support.js';
import { passenger, type Served, type ServedModels } from '../tables.js';

let fixture: Fixture;
let models: ServedModels;

/** A stream that stays open: lines are written, and answers read as they come. */
async function open(url: string, path: string, token = fixture.token) {
  const request = httpRequest(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' } });
  request.flushHeaders();
  const response = await new Promise<IncomingMessage>((resolve, reject) => { request.once('response', resolve).once('error', reject); });
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  return {
    request, response,
    next: async (): Promise<StreamAnswer | null> => {
      const read = await lines.next();
      return read.done === true ? null : StreamAnswer.parse(JSON.parse(read.value));
    },
  };
}
const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/** Sends everything and reads everything. */
async function stream(body: string, path = `/v2/models/${models.prices}/stream`): Promise<StreamAnswer[]> {
  const response = await fetch(`${models.url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-ndjson' }, body });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  return (await response.text()).trim().split('\n').map((text) => StreamAnswer.parse(JSON.parse(text)));
}
const valueOf = (answer: StreamAnswer | null | undefined) => (answer && 'outputs' in answer ? answer.outputs[0]?.data?.[0] : undefined);

export function streamTests(served: () => Served): void {
  beforeAll(() => { ({ fixture, models } = served()); });

  test('a line is answered as soon as it is there, before the next one is sent', async () => {
    const open1 = await open(models.url, `/v2/models/${models.table}/stream`);
    open1.request.write(line({ id: 'row-a', parameters: { channel: 'stream' }, row: passenger }));
    expect(await open1.next()).toMatchObject({ line: 1, id: 'row-a', parameters: { version: 1, arm: 'live' } });
    open1.request.write(`\n${line({ row: passenger }).slice(0, 20)}`);
    open1.request.write(line({ row: passenger }).slice(20));
    expect(await open1.next()).toMatchObject({ line: 3, outputs: [{ name: 'probabilities' }, { name: 'class' }] });
    open1.request.end();
    expect(await open1.next()).toBeNull();
    const { predictions } = fixture.database.stores;
    await until(async () => expect(await predictions.findByRequest(models.table, 'row-a')).toMatchObject([{ attributes: { channel: 'stream' } }]));
  });

  test('answers are in the order of the lines, one each, right or wrong; after a break the client goes on from the next line', async () => {
    const sizes = Array.from({ length: 400 }, (_, index) => index + 1);
    const lines = sizes.map((size) => (size % 100 === 50 ? '{"row": ' : size % 100 === 60 ? JSON.stringify({ id: 'wrong', row: { size: 'large' } }) : JSON.stringify(size % 2 ? { row: { size } } : { inputs: [{ name: 'size', datatype: 'FP64', shape: [1], data: [size] }] })));
    const answers = await stream(lines.join('\n'));
    expect(answers.map((answer) => answer.line)).toEqual(sizes);
    expect(answers[49]).toEqual({ line: 50, status: 400, error: 'The line is not JSON.' });
    expect(answers[59]).toEqual({ line: 60, id: 'wrong', status: 422, error: expect.stringContaining('"size", value 0: "large" is not') as string });
    const { body } = await ask(models.url, fixture.token, `/v1/models/${models.prices}:predict`, { instances: sizes }) as { body: { predictions: number[] } };
    for (const answer of answers) if ('outputs' in answer) expect(valueOf(answer)).toBeCloseTo(body.predictions[answer.line - 1] ?? NaN, 4);

    const broken = await open(models.url, `/v2/models/${models.prices}/stream`);
    broken.request.on('error', () => undefined);
    broken.request.write(`${lines.slice(0, 20).join('\n')}\n`);
    let last: StreamAnswer | null = null;
    for (let count = 0; count < 10; count += 1) last = await broken.next();
    broken.request.destroy();
    const rest = await stream(lines.slice(last?.line).join('\n'), `/v2/models/${models.prices}/versions/1/stream?first=${(last?.line ?? 0) + 1}`);
    expect(rest.map((answer) => answer.line)).toEqual(sizes.slice(10));
    expect(rest.map(valueOf).filter(Number.isFinite)).toHaveLength(390 - 8);
  });

  test('a server that stops answers what it has read and says where to go on; a line that is too long ends the stream', async () => {
    const place = await fixture.place();
    await fixture.route(place, await fixture.addVersion(place.model));
    const server = await fixture.serve(place.environment, { limits: { bodyBytes: 2_000 } });
    const running = await open(server.url, `/v2/models/${place.model}/stream?first=7`);
    running.request.write(line({ row: {} }));
    expect(await running.next()).toMatchObject({ line: 7, status: 422 });
    const closed = server.close();
    expect(await running.next()).toEqual({ line: 8, status: 503, error: expect.stringContaining('go on from this line') as string });
    running.request.destroy();
    await closed;

    const other = await fixture.serve(place.environment, { limits: { bodyBytes: 2_000 } });
    const long = await open(other.url, `/v2/models/${place.model}/stream`);
    long.request.on('error', () => undefined);
    long.request.write('x'.repeat(3_000));
    expect(await long.next()).toEqual({ line: 1, status: 413, error: 'Line 1 is longer than 2000 bytes.' });
    await other.close();
  });

  test('a stream that cannot begin is refused as any request', async () => {
    const refused = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${models.url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-ndjson', ...headers }, body: '{}' });
      return [response.status, await response.json()];
    };
    const error = (message: string) => ({ error: expect.stringContaining(message) as string });
    expect(await refused('/v2/models/nobody/stream')).toEqual([404, error('not served')]);
    expect(await refused(`/v2/models/${models.prices}/versions/9/stream`)).toEqual([404, error('Version 9')]);
    expect(await refused(`/v2/models/${models.prices}/stream?first=0`)).toEqual([400, error('first')]);
    expect(await refused(`/v2/models/${models.prices}/stream`, { authorization: 'Bearer pnl_wrong' })).toEqual([401, error('not valid')]);
    expect(await refused(`/v2/models/${models.prices}/stream`, { 'content-type': 'application/json' })).toEqual([415, error('application/x-ndjson')]);
  });
}
