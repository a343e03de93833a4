import type { FastifyRequest } from 'fastify';
import type { Authenticator } from '../auth.js';

/** Hook of the addresses that predict: refuses who may not, before the body is read. */
export const mayPredict = (auth: Authenticator) => async (request: FastifyRequest): Promise<void> => { await auth.require(request.headers.authorization, 'predict'); };
