import type { FastifyRequest } from 'fastify';
import type { KeyLimits } from '../access/key-limits.js';
import type { Authenticator, Caller } from '../auth.js';
import { ServingError } from '../errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, where {@link mayPredict} let them in. */
    caller: Caller | null;
  }
}

export interface Admission { readonly auth: Pick<Authenticator, 'require'>; readonly limits: Pick<KeyLimits, 'check'> }

/** Hook of the addresses that predict, or tell of a model: refuses who may not, or has nothing left to ask for, before the body is read. */
export const mayPredict = ({ auth, limits }: Admission) => async (request: FastifyRequest): Promise<void> => {
  const caller = await auth.require(request.headers.authorization, 'predict', modelOf(request));
  if (caller.key && request.method === 'POST') limits.check(caller.key);
  request.caller = caller;
};

/** The caller that {@link mayPredict} let in. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (!caller) throw new ServingError(401, 'Send `Authorization: Bearer TOKEN`.');
  return caller;
}

/** The model that an address names: by itself, or at the beginning of TensorFlow Serving's. */
function modelOf({ params }: FastifyRequest): string {
  const { model, '*': path = '' } = params as { model?: string; '*'?: string };
  return model ?? /^[^/:]*/.exec(path)?.[0] ?? '';
}
