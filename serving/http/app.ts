import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify';
import { asServingError, errorBody, ServingError, UNKNOWN_TYPE } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { OnProblem } from '../problem.js';
import { PictureBody } from '../protocol/pictures.js';
import { answerBadAddress, answerExpectation, answerMalformed, sendError } from './malformed.js';
import { problemOf } from './trace.js';
import { HEADER_LENGTH, parseBinaryBody } from '../protocol/binary.js';
import { parseRequestJson } from '../protocol/bytes-in-json.js';
import { parseJson } from '../protocol/json.js';
import type { Tls } from './tls.js';

export interface AppOptions {
  /** Largest body, in bytes. */
  readonly bodyLimit: number;
  /** Host names by which this server may be called, besides loopback's. */
  readonly hosts: readonly string[];
  /** A request that is not whole by then is ended. */
  readonly arrivalMs: number;
  /** Without it HTTP as it is. */
  readonly tls: Pick<Tls, 'options' | 'follow'> | null;
  readonly metrics: Pick<Metrics, 'request'>;
  /** Called before an answer leaves that is an error. */
  readonly onRefused: (request: FastifyRequest, reply: FastifyReply, answer: ServingError) => Promise<void>;
  /** True once this replica is about to stop: each answer is then the last one of its connection. */
  readonly draining: () => boolean;
  readonly onProblem: OnProblem;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Also what names a form's type, as `curl -d` does: TensorFlow Serving's clients often do not say that they send JSON. */
const JSON_TYPES = ['application/json', 'application/x-www-form-urlencoded'];

/** Fastify with our manners: JSON, tensors and pictures as bodies, foreign hosts refused, errors `{"error": string}` that reveal nothing of the inside. */
export function createApp({ bodyLimit, hosts, arrivalMs, tls, metrics, draining, onRefused, onProblem }: AppOptions): FastifyInstance {
  const options = {
    bodyLimit, logger: false, trustProxy: false, forceCloseConnections: 'idle', return503OnClosing: false, requestTimeout: 0, keepAliveTimeout: 72_000,
    clientErrorHandler: answerMalformed, frameworkErrors: answerBadAddress,
  } as const;
  const app = tls ? withTls(options, tls) : fastify({ ...options, http: { requireHostHeader: false } }); // the hook below answers where there is none
  const allowed = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);

  app.server.on('checkExpectation', answerExpectation);
  app.decorateRequest('caller', null);
  app.removeAllContentTypeParsers();
  const parse = async (request: FastifyRequest, body: Buffer): Promise<unknown> => {
    const length = request.headers[HEADER_LENGTH];
    if (typeof length === 'string') return parseBinaryBody(body, length);
    if (request.headers['content-type']?.startsWith('application/octet-stream')) throw new ServingError(400, 'A binary body needs the header Inference-Header-Content-Length.');
    return request.routeOptions.url?.endsWith('/infer') === true ? parseRequestJson(body) : parseJson(body);
  };
  app.addContentTypeParser([...JSON_TYPES, 'application/octet-stream'], { parseAs: 'buffer' }, parse);
  app.addContentTypeParser(/^image\//, { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => new PictureBody(body));
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    if (request.headers['content-type'] === undefined) return parse(request, body); // Triton's own client names no type
    throw new ServingError(415, UNKNOWN_TYPE);
  });

  app.addHook('onRequest', async (_request, reply) => { if (draining()) reply.header('connection', 'close'); });
  // Node's own limit would end streams as well, which take as long as their clients have lines.
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url?.endsWith('/stream') === true) return;
    const timer = setTimeout(() => {
      if (request.raw.complete) return;
      if (reply.raw.headersSent) return void request.raw.destroy();
      reply.hijack();
      reply.raw.writeHead(408, { 'content-type': 'application/json', connection: 'close' });
      reply.raw.end(JSON.stringify({ error: `The request was not whole within ${arrivalMs / 1_000} s: send fewer rows at once, or a stream of lines.` }), () => { request.raw.destroy(); });
    }, arrivalMs);
    reply.raw.once('close', () => { clearTimeout(timer); });
  });
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/v2/health/')) return; // probes call by address
    const host = (request.headers.host ?? '').toLowerCase();
    if (!allowed.has(host.replace(/:\d+$/, ''))) throw new ServingError(421, 'This host name is not served here.');
  });
  app.addHook('onResponse', async (request, reply) => metrics.request(request.routeOptions.url ?? 'unknown', reply.statusCode));

  app.setNotFoundHandler(async (_request, reply) => sendError(reply.code(404), { error: 'There is nothing at this address; see GET /v2.' }));
  app.setErrorHandler(async (error: FastifyError | ServingError, request, reply) => {
    const answer = asServingError(error);
    if (answer.status >= 500 && answer.cause !== undefined) onProblem(answer.message, answer.cause, problemOf(request, answer));
    await onRefused(request, reply, answer);
    if (answer.retryAfter !== undefined) reply.header('retry-after', String(answer.retryAfter));
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
    return sendError(reply.code(answer.status), errorBody(answer));
  });
  return app;
}

/** Node's server with TLS is one without to all that is said of it here. */
function withTls(options: Pick<FastifyServerOptions, 'bodyLimit' | 'trustProxy' | 'forceCloseConnections' | 'return503OnClosing' | 'requestTimeout' | 'keepAliveTimeout' | 'clientErrorHandler' | 'frameworkErrors'>, tls: Pick<Tls, 'options' | 'follow'>): FastifyInstance {
  const app = fastify({ ...options, logger: false, https: { ...tls.options, requireHostHeader: false } });
  tls.follow(app.server);
  return app;
}
