import type { FastifyRequest } from 'fastify';
import { PerennialError } from '../../contract/errors.js';
import type { Stores } from '../../stores/index.js';
import type { Caller } from './caller.js';
import { TooMany, type FailureLimit } from './failure-limit.js';

export interface Authenticator { authenticate(request: FastifyRequest, options: { basic: boolean }): Promise<Caller> }

/**
 * Bearer tokens with the scope `api`. Where `basic` is set (reports, opened in a browser from a mail) the token may also come as the password of Basic authentication.
 * An address that fails too often is told to wait; a right token is let through from there all the same, since many callers share
 * loopback and nobody guesses 32 random bytes.
 */
export function createAuthenticator(principals: Stores['principals'], failures: FailureLimit): Authenticator {
  return {
    async authenticate(request, { basic }) {
      const token = tokenOf(request.headers.authorization, basic);
      if (token === null) throw refused(request, failures, 'no token was sent');
      const found = await principals.authenticate(token);
      if (found === null) throw refused(request, failures, 'the token is not known, or was revoked');
      if (!found.scopes.includes('api')) throw new PerennialError('auth/forbidden', `the token of ${found.principal.id} has no scope api`);
      return { principal: found.principal.id, roles: found.roles };
    },
  };
}

function refused(request: FastifyRequest, failures: FailureLimit, message: string): Error {
  failures.count(request.ip);
  return failures.exceeded(request.ip) ? new TooMany() : new PerennialError('auth/missing', message);
}

function tokenOf(header: string | undefined, basic: boolean): string | null {
  const [scheme, value] = (header ?? '').split(' ', 2);
  if (!value) return null;
  if (/^bearer$/i.test(scheme ?? '')) return value;
  if (!basic || !/^basic$/i.test(scheme ?? '')) return null;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1) || null;
}
