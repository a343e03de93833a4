import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { STATUSES, type ErrorBody, type Status } from '../errors.js';
import { isLingering, lingerOnClose, lingerOnEnd } from './lingering-close.js';

/** Answers to what is no request that any address could get, in the same form as theirs. */

/** Fastify would add a charset, which JSON does not have (RFC 8259, 11); KServe's client reads errors of exactly this type only. */
export function sendError(reply: FastifyReply, body: z.infer<typeof ErrorBody>): FastifyReply {
  lingerOnClose(reply.request.raw);
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}

/** By what Node's parser says is wrong. */
const OF_PARSER: Readonly<Record<string, Status>> = { HPE_HEADER_OVERFLOW: 431, HPE_CHUNK_EXTENSIONS_OVERFLOW: 413, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Bytes that are no HTTP. Where an answer has begun already there is nobody left to tell. It is told again of what comes behind them. */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (isLingering(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const status = OF_PARSER[error.code ?? ''] ?? 400;
  const body = JSON.stringify({ error: `The request is no HTTP that is understood here: ${STATUSES[status]}.` });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  lingerOnEnd(socket);
}

/** An address that cannot be decoded, such as `/%ff`. */
export async function answerBadAddress(_error: Error, _request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await sendError(reply.code(400), { error: 'The address cannot be read: what follows each % has to be text in UTF-8.' });
}

/** `Expect` of anything but `100-continue`. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  lingerOnClose(request);
  const body = JSON.stringify({ error: `Not done: ${STATUSES[417]}.` });
  response.writeHead(417, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body);
}
