import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServingError } from '../errors.js';
import type { Refuse } from '../log/refusals.js';
import { requestIdOf, traceOf } from './trace.js';

/** Addresses that predict; what is refused elsewhere is no prediction. */
const PREDICTS = /^\/(v2\/.*\/(infer|stream)|v1\/models\/.*)$/;

/** Logs an answer that is an error, where a prediction was asked. */
export function createRefusedHook(refuse: Refuse) {
  return async (request: FastifyRequest, reply: FastifyReply, answer: ServingError): Promise<void> => {
    if (request.method !== 'POST' || !PREDICTS.test(request.routeOptions.url ?? '')) return;
    await refuse({ model: modelOf(request), requestId: requestIdOf(request), traceId: traceOf(request), latencyMs: reply.elapsedTime, caller: request.caller?.principal ?? null }, answer);
  };
}

/** The model as the caller names it. */
function modelOf({ params }: FastifyRequest): string {
  const { model, '*': path = '' } = params as { model?: string; '*'?: string };
  return model ?? path.split(/[/:]/)[0] ?? '';
}
