import { createHash } from 'node:crypto';
import { PerennialError } from '../contract/errors.js';
import type { Scope } from '../contract/policy.js';
import { ServingError } from './errors.js';

export interface Caller { readonly principal: string; readonly scopes: readonly string[] }

export interface AuthenticatorOptions {
  /** Who a token belongs to, as PostgreSQL says; null where nobody's. */
  readonly authenticate: (token: string) => Promise<{ readonly principal: string; readonly scopes: readonly string[] } | null>;
  /** For how long an answer is trusted: a revoked token works this long. */
  readonly freshMs?: number;
  /** For how long a known caller is let in while PostgreSQL is away. */
  readonly staleMs?: number;
  /** Callers known from before a restart, by the sha256 of their token. */
  readonly known?: ReadonlyMap<string, KnownCaller>;
  readonly onChecked?: (digest: string, caller: KnownCaller) => void;
  readonly onRefused?: (digest: string) => void;
}
export interface KnownCaller extends Caller { readonly checkedAt: number }

const REMEMBERED = 10_000;
const REFUSED_MS = 2_000;
/** A database that does not answer holds up a known caller no longer than this. */
const PATIENCE_MS = 500;
const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));

/** Bearer tokens, asked of PostgreSQL once per half minute; tokens are never kept, only their sha256. */
export function createAuthenticator({ authenticate, freshMs = 30_000, staleMs = 24 * 3_600_000, known = new Map(), onChecked, onRefused }: AuthenticatorOptions) {
  const callers = new Map<string, KnownCaller>(known);
  const refused = new Map<string, number>();
  const asking = new Map<string, Promise<KnownCaller | null>>();

  async function ask(token: string, digest: string): Promise<KnownCaller | null> {
    const found = await authenticate(token);
    if (!found) {
      callers.delete(digest);
      onRefused?.(digest);
      refused.set(digest, Date.now());
      if (refused.size > REMEMBERED) refused.clear();
      return null;
    }
    const caller: KnownCaller = { principal: found.principal, scopes: found.scopes, checkedAt: Date.now() };
    if (callers.size >= REMEMBERED) callers.delete(callers.keys().next().value ?? '');
    callers.set(digest, caller);
    onChecked?.(digest, caller);
    return caller;
  }

  async function identify(token: string): Promise<Caller | null> {
    const digest = createHash('sha256').update(token).digest('hex');
    const cached = callers.get(digest);
    const now = Date.now();
    if (cached && now - cached.checkedAt < freshMs) return cached;
    if (now - (refused.get(digest) ?? -Infinity) < REFUSED_MS) return null;
    const answer = asking.get(digest) ?? ask(token, digest).finally(() => asking.delete(digest));
    asking.set(digest, answer);
    const trusted = cached && now - cached.checkedAt < staleMs ? cached : null;
    try {
      return trusted ? await Promise.race([answer, after(PATIENCE_MS, trusted)]) : await answer;
    } catch (error) {
      if (!(error instanceof PerennialError && error.retryable)) throw error;
      if (trusted) return trusted;
      throw new ServingError(503, 'Who is calling cannot be checked at the moment.', { retryAfter: 2, cause: error });
    }
  }

  return {
    /** The caller of a request, who must have the scope: 401 without a valid token, 403 without the scope. */
    async require(authorization: string | undefined, scope: Scope): Promise<Caller> {
      const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) throw new ServingError(401, 'Send `Authorization: Bearer TOKEN`.');
      const caller = await identify(token);
      if (!caller) throw new ServingError(401, 'The token is not valid.');
      if (!caller.scopes.includes(scope)) throw new ServingError(403, `The token lacks the scope "${scope}".`);
      return caller;
    },
  };
}
export type Authenticator = ReturnType<typeof createAuthenticator>;
