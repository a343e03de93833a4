import type { FastifyRequest } from 'fastify';
import type { ServingError } from '../errors.js';
import type { ProblemOf } from '../problem.js';

/** Version, trace id, parent id, flags (W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/** The caller's trace, 32 hex digits; null where the request names none, or one that is not well-formed. */
export function traceOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] ?? null : null;
}

/** Longest id of a caller that is taken over. */
const LONGEST = 128;

/** The caller's `X-Request-Id`, for requests whose body names none or cannot be read. */
export function requestIdOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const id = headers['x-request-id'];
  return typeof id === 'string' && id.length > 0 ? id.slice(0, LONGEST) : null;
}

/** What the log says of a request that failed. */
export function problemOf(request: FastifyRequest, { status, asked }: ServingError): ProblemOf {
  const [requestId, traceId] = [asked?.requestId ?? requestIdOf(request), traceOf(request)];
  return {
    ...(requestId === null ? {} : { requestId }), ...(traceId === null ? {} : { traceId }), ...(asked ? { model: asked.model, version: asked.version } : {}),
    route: request.routeOptions.url ?? request.url.slice(0, LONGEST), status,
  };
}
