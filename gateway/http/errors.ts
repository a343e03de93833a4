import { isGrpcServiceError, ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { z } from 'zod';
import { ERRORS, PerennialError } from '../../contract/errors.js';
import { TooMany } from './failure-limit.js';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: { readonly code: string; readonly message: string; readonly next: string; readonly details?: Readonly<Record<string, unknown>> } };
  /** Not of the registry: worth a line in the log. */
  readonly unexpected: boolean;
}

export const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string(), next: z.string(), details: z.record(z.string(), z.unknown()).optional() }) });

/** What is answered for whatever a handler threw. Messages of unexpected errors stay in the log: they may name more than a caller should see. */
export function answerFor(error: unknown): ErrorAnswer {
  if (error instanceof PerennialError) {
    const { code, message, next, details } = error;
    const headers: Record<string, string> = error.status === 503 ? { 'retry-after': '5' } : code === 'auth/missing' ? { 'www-authenticate': 'Bearer, Basic realm="perennial"' } : {};
    return answer(error.status, { code, message, next, ...(Object.keys(details).length > 0 ? { details } : {}) }, headers);
  }
  if (error instanceof TooMany) return answer(429, { code: 'auth/missing', message: error.message, next: `Wait ${error.retryAfterSeconds} s, then send a valid token.` }, { 'retry-after': String(error.retryAfterSeconds) });
  if (error instanceof z.ZodError) return answerFor(invalidFields(error));
  if (isTemporalAway(error)) return answerFor(new PerennialError('temporal/unavailable', 'Temporal did not answer'));
  const status = statusOfFramework(error);
  if (status !== undefined) return answer(status, { code: 'request/invalid', message: (error as Error).message, next: ERRORS['request/invalid'].next });
  return { ...answer(500, { code: 'internal', message: 'the gateway failed to answer this request', next: 'See the log of the gateway.' }), unexpected: true };
}

function answer(status: number, error: ErrorAnswer['body']['error'], headers: Record<string, string> = {}): ErrorAnswer {
  return { status, headers, body: { error }, unexpected: false };
}

/** One registry error that names every wrong field as `body.version: …`. */
export function invalidFields(error: z.ZodError, where = ''): PerennialError {
  const fields = error.issues.slice(0, 20).map((issue) => ({ field: [where, ...issue.path.map(String)].filter(Boolean).join('.') || 'body', problem: issue.message }));
  return new PerennialError('request/invalid', fields.map(({ field, problem }) => `${field}: ${problem}`).join('; '), { fields });
}

const AWAY_CODES = new Set([1, 4, 8, 13, 14]); // CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE

/** True for an error of the Temporal client that says the server could not be asked. */
export function isTemporalAway(error: unknown): boolean {
  if (error instanceof PerennialError) return error.code === 'temporal/unavailable';
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return AWAY_CODES.has(cause.code);
  return error instanceof Error && error.constructor.name === 'TransportError';
}

/** Errors of fastify itself (body too large, not JSON, wrong media type) carry a client status. */
function statusOfFramework(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined;
}
