import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { ServingError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { HEADER_LENGTH, parseBinaryBody, parseJson } from '../protocol/binary.js';

export interface AppOptions {
  /** Largest body, in bytes. */
  readonly bodyLimit: number;
  /** Host names by which this server may be called, besides loopback's. */
  readonly hosts: readonly string[];
  readonly metrics: Pick<Metrics, 'request'>;
  readonly onProblem: (message: string, error: unknown) => void;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Fastify with our manners: the protocol's JSON and binary bodies only, foreign hosts refused, errors `{"error": string}` that reveal nothing of the inside. */
export function createApp({ bodyLimit, hosts, metrics, onProblem }: AppOptions): FastifyInstance {
  const app = fastify({ bodyLimit, logger: false, trustProxy: false, forceCloseConnections: 'idle', requestTimeout: 60_000, keepAliveTimeout: 72_000 });
  const allowed = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', 'application/octet-stream'], { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    const length = request.headers[HEADER_LENGTH];
    if (typeof length === 'string') return parseBinaryBody(body, length);
    if (request.headers['content-type']?.startsWith('application/octet-stream')) throw new ServingError(400, 'A binary body needs the header Inference-Header-Content-Length.');
    return parseJson(body);
  });

  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/v2/health/')) return; // probes call by address
    const host = (request.headers.host ?? '').toLowerCase();
    if (!allowed.has(host.replace(/:\d+$/, ''))) throw new ServingError(421, 'This host name is not served here.');
  });
  app.addHook('onResponse', async (request, reply) => metrics.request(request.routeOptions.url ?? 'unknown', reply.statusCode));

  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ error: 'There is nothing at this address; see GET /v2.' }));
  app.setErrorHandler(async (error: FastifyError | ServingError, _request, reply) => {
    const answer = error instanceof ServingError ? error : translate(error);
    const cause = error instanceof ServingError ? error.cause : error;
    if (answer.status >= 500 && cause !== undefined) onProblem(answer.message, cause);
    if (answer.retryAfter !== undefined) reply.header('retry-after', String(answer.retryAfter));
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
    return reply.code(answer.status).send({ error: answer.message });
  });
  return app;
}

function translate(error: FastifyError): ServingError {
  switch (error.statusCode) {
    case 413: return new ServingError(413, 'The body is too large.');
    case 415: return new ServingError(415, 'Send `Content-Type: application/json`, or `application/octet-stream` with binary tensors.');
    case 400: return new ServingError(400, 'The request is malformed.');
    default: return new ServingError(500, 'The server failed; the reason is in its log.');
  }
}
