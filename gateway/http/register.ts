import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PerennialError } from '../../contract/errors.js';
import type { Services } from '../services.js';
import type { Authenticator } from './authenticate.js';
import { holdsAny, type Caller } from './caller.js';
import { invalidFields } from './errors.js';
import { Answer, type Route } from './route.js';
import type { z } from 'zod';

const NOBODY: Caller = { principal: 'anonymous', roles: [] };

/** Adds a route below `/api/v1`: who calls, then what they send, then the handler. */
export function registerRoute(app: FastifyInstance, route: Route, services: Services, authenticator: Authenticator): void {
  app.route({
    method: route.method,
    url: `/api/v1${route.path}`,
    ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    handler: async (request, reply) => {
      const caller = route.access === 'open' ? NOBODY : await admit(request, route, route.access, authenticator);
      const result = await route.handle({
        params: parse(route.params, request.params, 'path'), query: parse(route.query, request.query, 'query'), body: parse(route.body, request.body ?? {}, 'body'),
        caller, services, request, reply,
      });
      return send(reply, route, result);
    },
  });
}

async function admit(request: FastifyRequest, route: Route, roles: Exclude<Route['access'], 'open'>, authenticator: Authenticator): Promise<Caller> {
  const caller = await authenticator.authenticate(request, { basic: route.basic ?? false });
  if (!holdsAny(caller, roles)) throw new PerennialError('auth/forbidden', `${caller.principal} holds none of the roles ${roles.join(', ')}, one of which ${route.method} ${route.path} needs`, { roles: [...roles] });
  return caller;
}

function parse(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidFields(parsed.error, where);
  return parsed.data;
}

function send(reply: FastifyReply, route: Route, result: unknown): unknown {
  if (reply.sent || result === undefined) return reply;
  if (!(result instanceof Answer)) return reply.code(route.status ?? 200).send(result);
  return reply.code(result.status).headers(result.headers).send(result.body);
}
