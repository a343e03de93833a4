import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FuzzRequest } from './request.js';

/** A whole answer, read from the wire. */
export interface RawAnswer { readonly status: number; readonly headers: ReadonlyMap<string, string>; readonly body: Buffer }

const PIECES = 3;
const PAUSE_MS = 4;
/** Longer than a request may take on a busy machine, shorter than the server's own limit on arrival. */
const ANSWER_MS = 40_000;

/** Sends a request over a connection of its own; null where it was closed without a whole answer. Rejects where nothing comes. */
export async function send(port: number, request: FuzzRequest): Promise<RawAnswer | null> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined); // a reset is an end like others: what came before it is looked at
  const ended = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer within ${ANSWER_MS} ms`));
    }, ANSWER_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  await deliver(request, (bytes) => { if (!socket.destroyed) socket.write(bytes); });
  if (request.delivery === 'leaves') socket.destroySoon();
  else if (typeof request.delivery === 'object') socket.destroy();
  else if (request.mayGoUnanswered) socket.end(); // the server would wait for the rest of it
  await ended;
  return readAnswer(Buffer.concat(chunks), request.method);
}

async function deliver(request: FuzzRequest, write: (bytes: Buffer) => void): Promise<void> {
  const bytes = request.bytes();
  const { delivery } = request;
  if (typeof delivery === 'object') {
    write(bytes.subarray(0, Math.floor(bytes.length * delivery.cutAt)));
    await sleep(PAUSE_MS);
  } else if (delivery === 'pieces') {
    const step = Math.ceil(bytes.length / PIECES);
    for (let at = 0; at < bytes.length; at += step) {
      write(bytes.subarray(at, at + step));
      await sleep(PAUSE_MS);
    }
  } else {
    write(bytes);
  }
}

/** The last answer in what a connection gave: interim ones (100) come before it. */
function readAnswer(bytes: Buffer, method: string): RawAnswer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${first} `)?.[1]);
  if (!(status >= 100)) throw new Error(`the answer begins with ${JSON.stringify(first)}`);
  const rest = bytes.subarray(end + 4);
  if (status < 200) return readAnswer(rest, method);
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  if (method === 'HEAD' || status === 204) return { status, headers, body: Buffer.alloc(0) };
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunked(rest) : rest;
  const length = headers.get('content-length');
  if (body === null || (length !== undefined && body.length < Number(length))) return null;
  return { status, headers, body };
}

/** Null where the last chunk did not come. */
function unchunked(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at);
    const size = end < 0 ? NaN : parseInt(bytes.toString('latin1', at, end), 16);
    if (Number.isNaN(size) || end + 2 + size + 2 > bytes.length) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
