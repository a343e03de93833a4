import Fastify, { type FastifyInstance } from 'fastify';
import type { GatewayDeps } from './deps.js';
import { createAuthenticator } from './http/authenticate.js';
import { answerFor } from './http/errors.js';
import { isOwnHost } from './http/host.js';
import { openApiDocument } from './http/openapi.js';
import { registerRoute } from './http/register.js';
import { createPoller } from './poller.js';
import { createReconciler } from './reconciler.js';
import { RAW_ROUTES, ROUTES } from './routes/index.js';
import { createServices, type Services } from './services.js';

const BODY_BYTES = 1024 * 1024;
/** GitHub's own limit is 25 MB; what is larger than this is found by polling. */
const HOOK_BYTES = 5 * 1024 * 1024;
const API_VERSION = '1';

export interface Gateway {
  /** Where it listens, for example `http://127.0.0.1:7420`. */
  readonly url: string;
  close(): Promise<void>;
}

/** The control API, listening; with it run the poller of branches and the reconciler of break-glass rollbacks. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const services = createServices(deps);
  const app = listener(deps.tls ?? null);
  addGuards(app, deps);
  addRoutes(app, services);
  const url = await app.listen({ host: deps.config.host, port: deps.config.port });
  const background = [createPoller(services), createReconciler(services, deps.reconcileMs), services.runFeed];
  return {
    url,
    async close() {
      await Promise.all(background.map((part) => part.close()));
      await app.close();
    },
  };
}

/** Node's server with TLS is one without to all that is said of it here. */
function listener(tls: NonNullable<GatewayDeps['tls']> | null): FastifyInstance {
  const options = { bodyLimit: BODY_BYTES, logger: false, forceCloseConnections: true, requestTimeout: 30_000 } as const;
  if (!tls) return Fastify(options);
  const app = Fastify({ ...options, https: { ...tls.options } });
  tls.follow(app.server);
  return app;
}

function addGuards(app: FastifyInstance, { config, log }: GatewayDeps): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isOwnHost(request.headers.host, config)) return;
    await reply.code(421).send({ error: { code: 'request/invalid', message: 'the Host header names another host', next: 'Use the gateway\'s own address, or set PUBLIC_URL.' } });
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, headers, body, unexpected } = answerFor(error);
    if (unexpected) log('a request failed', { method: request.method, route: request.routeOptions.url, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    await reply.code(status).headers(headers).send(body);
  });
  app.setNotFoundHandler(async (request, reply) => {
    await reply.code(404).send({ error: { code: 'request/invalid', message: `there is no ${request.method} ${request.url.split('?')[0] ?? ''}`, next: 'See /api/v1/openapi.json.' } });
  });
}

function addRoutes(app: FastifyInstance, services: Services): void {
  const authenticator = createAuthenticator(services.stores.principals, services.failures);
  for (const route of ROUTES) registerRoute(app, route, services, authenticator);
  app.get('/api/v1/openapi.json', async () => openApiDocument([...RAW_ROUTES, ...ROUTES], API_VERSION));
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: HOOK_BYTES }, (_request, body, done) => { done(null, body); });
    for (const route of RAW_ROUTES) registerRoute(scope, route, services, authenticator);
  });
}
