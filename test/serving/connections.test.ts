import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PredictionServer } from '../../serving/server.js';
import { until } from '../support/until.js';
import { createFixture, goldenPicture, imageInput, infer, type Fixture } from './support.js';

let fixture: Fixture;
let model: string;
let environment: string;

beforeAll(async () => {
  fixture = await createFixture();
  const place = await fixture.place();
  ({ model, environment } = place);
  await fixture.route(place, await fixture.addVersion(model));
});
afterAll(() => fixture?.close());

const picture = () => ({ inputs: [imageInput(goldenPicture(fixture.trained).pixels)] });

/** A stream of lines whose answers are read only when they are asked for. */
async function openStream(server: PredictionServer) {
  const request = httpRequest(`${server.url}/v2/models/${model}/stream`, { method: 'POST', headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/x-ndjson' } });
  request.flushHeaders();
  const [response] = await once(request, 'response') as [IncomingMessage];
  return { request, response };
}

/** What a client reads that sends all of this at once, and looks for an answer meanwhile. */
async function answerTo(server: PredictionServer, head: readonly string[], body: Buffer): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes: Buffer) => { answer += bytes.toString('latin1'); });
  socket.on('error', () => undefined); // what came before it counts
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  socket.write(Buffer.concat([Buffer.from(`${[...head, 'Host: localhost', 'Connection: close', `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n`), body]));
  await closed;
  return answer;
}

test('who is refused while a large body is on its way reads the answer, and who never ends it is cut off', async () => {
  const server = await fixture.serve(environment);
  const body = Buffer.alloc(24 * 1024 ** 2, 'a');
  const path = `/v2/models/${model}/infer`;
  for (let time = 0; time < 12; time += 1) {
    expect(await answerTo(server, [`GET ${path} HTTP/1.1`], body)).toMatch(/^HTTP\/1\.1 404 [^]*nothing at this address/);
    expect(await answerTo(server, [`POST ${path} HTTP/1.1`, 'Content-Type: application/json'], body)).toMatch(/^HTTP\/1\.1 401 [^]*"error"/);
    expect(await answerTo(server, [`POST ${path} HTTP/1.1`, `Authorization: Bearer ${fixture.token}`, 'Content-Type: application/json'], Buffer.alloc(40 * 1024 ** 2, 'a'))).toMatch(/^HTTP\/1\.1 413 [^]*"error"/);
  }

  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n`);
  const begun = Date.now();
  const sending = setInterval(() => socket.write('a'), 200);
  await closed;
  clearInterval(sending);
  expect(Date.now() - begun).toBeGreaterThan(4_000);
  expect(server.problems).toEqual([]);
}, 60_000);

test('a kept connection that is refused thousands of times, each time before its body comes, stays as it is', async () => {
  const server = await fixture.serve(environment);
  const warnings: string[] = [];
  const onWarning = (warning: Error) => { warnings.push(warning.message); };
  process.on('warning', onWarning);
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.setNoDelay(true);
  let answer = '';
  let onAnswer = (): void => undefined;
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1');
    if (answer.endsWith('}')) onAnswer();
  });
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  const head = (connection: string) => `GET /v2/nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\nContent-Length: 5\r\n\r\n`;
  const answered = async (sent: string) => {
    answer = '';
    const whole = new Promise<void>((resolve) => { onAnswer = resolve; });
    socket.write(sent);
    await whole;
    return answer;
  };
  await answered(head('keep-alive'));
  for (let time = 1; time < 12_000; time += 1) {
    if (!(await answered(`hello${head('keep-alive')}`)).startsWith('HTTP/1.1 404 ')) throw new Error(`request ${time} was answered ${answer}`);
  }
  // What each refusal had added would be called now, by one another.
  expect(await answered(`hello${head('close')}`)).toMatch(/^HTTP\/1\.1 404 [^]*connection: close/i);
  socket.write('hello');
  await closed;
  process.off('warning', onWarning);
  expect([warnings, server.problems]).toEqual([[], []]);
}, 60_000);

test.each([['a method that HTTP does not have', 'BREW / HTTP/1.1\r\n', '400'], ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n`, '431']])('what is no request is answered, and its sender, who goes on, is not cut off before the end: %s', async (_what, head, status) => {
  const server = await fixture.serve(environment);
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', allowHalfOpen: true });
  const errors: string[] = [];
  let answer = '';
  socket.on('error', (error) => { errors.push(error.message); });
  socket.on('data', (bytes: Buffer) => { answer += bytes.toString('latin1'); });
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  socket.write(`${head}Host: localhost\r\n\r\n`);
  for (let piece = 0; piece < 30; piece += 1) {
    socket.write(Buffer.alloc(100_000, 'a'));
    await sleep(20);
  }
  socket.end();
  await closed;
  expect([answer.split('\r\n')[0]?.split(' ')[1], errors, server.problems]).toEqual([status, [], []]);
  expect(answer).toMatch(/"error":"The request is no HTTP that is understood here/);
});

describe('time', () => {
  test('a request that is not whole in time is ended with 408; a stream may take longer, and so may a request that is whole', async () => {
    const server = await fixture.serve(environment, { limits: { arrivalMs: 600 } });
    const stream = await openStream(server);
    const lines = createInterface({ input: stream.response })[Symbol.asyncIterator]();

    const slow = connect(Number(new URL(server.url).port), '127.0.0.1');
    let answer = '';
    slow.on('data', (bytes: Buffer) => { answer += bytes.toString(); });
    slow.write(`POST /v2/models/${model}/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${fixture.token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"inputs": [`);
    const begun = Date.now();
    await once(slow, 'close');
    expect(Date.now() - begun).toBeGreaterThan(500);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('{"error":"The request was not whole within 0.6 s: send fewer rows at once, or a stream of lines."}');

    stream.request.write('{"row": {}}\n');
    expect(JSON.parse((await lines.next()).value as string)).toMatchObject({ line: 1, status: 422 });
    stream.request.end();
    expect((await lines.next()).done).toBe(true);
    expect((await infer(server.url, fixture.token, model, picture())).parameters.version).toBe(1);
    expect(server.problems).toEqual([]);
    await server.close();
  });
});

describe('backpressure', () => {
  test('the server reads no further than a client that does not read its answers, and answers every line once it does', async () => {
    const server = await fixture.serve(environment);
    const opened = new Promise<Socket>((found) => {
      const listener = (message: unknown) => {
        subscribed.unsubscribe(listener);
        found((message as { socket: Socket }).socket);
      };
      const subscribed = channel('http.server.request.start');
      subscribed.subscribe(listener);
    });
    const { request, response } = await openStream(server);
    const socket = await opened; // the server's end
    const id = 'a'.repeat(128); // an answer, which holds it, is larger than its line
    const lines = 30_000;
    const all = Buffer.from(`{"id":"${id}"}\n`.repeat(lines));
    request.end(all);

    let [read, largest] = [-1, 0];
    for (let still = 0; still < 8; still = socket.bytesRead === read ? still + 1 : 0) {
      read = socket.bytesRead;
      await sleep(250);
      largest = Math.max(largest, socket.writableLength);
    }
    expect(read).toBeLessThan(all.length);
    expect(largest).toBeLessThan(256 * 1024); // what waits in the server's memory to be read

    let next = 1;
    for await (const text of createInterface({ input: response })) {
      if (next % 1_000 === 0) await sleep(2); // slowly
      expect(JSON.parse(text)).toMatchObject({ line: next, id, status: 400 });
      next += 1;
    }
    expect(next - 1).toBe(lines);
    await server.close();
  }, 60_000);
});

describe('TLS', () => {
  const file = (name: string) => fileURLToPath(new URL(`tls/${name}.pem`, import.meta.url));
  /** Who answers: the name in the certificate. */
  const nameAt = (url: string) => new Promise<string>((resolve, reject) => {
    httpsGet(`${url}/v2/health/live`, { rejectUnauthorized: false, agent: false }, (response) => {
      resolve(String((response.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.resume();
    }).once('error', reject);
  });

  test('a server speaks HTTPS with its certificate, takes a renewed one without a restart, and keeps the one before where it cannot', async () => {
    const folder = await mkdtemp(join(fixture.folder, 'tls-'));
    const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const renew = async (name: string) => { await copyFile(file(`${name}.key`), key); await copyFile(file(`${name}.cert`), certificate); };
    await renew('first');
    const server = await fixture.serve(environment, { tls: { certificate, key, lookMs: 100 } });
    expect(server.url).toMatch(/^https:/);
    expect(await nameAt(server.url)).toBe('first.test');

    await copyFile(file('second.cert'), certificate);
    await until(() => { expect(server.problems.join('\n')).toContain(`${key} does not hold the private key of the first certificate of ${certificate}`); });
    expect(await nameAt(server.url)).toBe('first.test');
    await renew('second');
    await until(async () => { expect(await nameAt(server.url)).toBe('second.test'); });
    expect(server.problems.join('\n')).not.toContain('PRIVATE KEY');
    await server.close();
  });

  test('one that has no certificate that it can use does not start, and says why', async () => {
    const nonsense = join(await mkdtemp(join(fixture.folder, 'tls-')), 'nonsense.pem');
    await writeFile(nonsense, '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n');
    const start = (certificate: string, key: string) => fixture.serve(environment, { tls: { certificate, key } });
    const unusable = (message: string) => ({ code: 'tls/unusable', message });
    await expect(start('/nowhere/cert.pem', file('first.key'))).rejects.toMatchObject(unusable('the certificate /nowhere/cert.pem cannot be read (ENOENT)'));
    await expect(start(file('first.cert'), nonsense)).rejects.toMatchObject(unusable(`${nonsense} holds no private key in PEM without a passphrase`));
    await expect(start(file('first.cert'), file('second.key'))).rejects.toMatchObject(unusable(`${file('second.key')} does not hold the private key of the first certificate of ${file('first.cert')}`));
  });
});
