import { hash } from 'node:crypto';
import { KEY_PREFIX, type KeyScope, type ServedKey } from '../contract/api-key.js';
import { PerennialError } from '../contract/errors.js';
import type { KnownKeys } from './access/known-keys.js';
import type { KeyRefusals } from './access/refusals.js';
import { ServingError } from './errors.js';

/** Who calls: a principal by a token, or the holder of a key, `key:<name>`, with what it allows. */
export interface Caller { readonly principal: string; readonly scopes: readonly string[]; readonly key: ServedKey | null }

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
  readonly keys: Pick<KnownKeys, 'find'>;
  readonly onKeyRefused: KeyRefusals;
}
/** A principal that a token was found to be of. */
export interface KnownCaller { readonly principal: string; readonly scopes: readonly string[]; readonly checkedAt: number }

const REMEMBERED = 10_000;
const REFUSED_MS = 2_000;
/** A database that does not answer holds up a known caller no longer than this. */
const PATIENCE_MS = 500;
const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));

/** Keys, which are known, and tokens, asked of PostgreSQL once per half minute; neither is ever kept, only their sha256. */
export function createAuthenticator({ authenticate, freshMs = 30_000, staleMs = 24 * 3_600_000, known = new Map(), onChecked, onRefused, keys, onKeyRefused }: AuthenticatorOptions) {
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

  async function identify(token: string): Promise<KnownCaller | null> {
    const digest = hash('sha256', token);
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

  async function holder(secret: string): Promise<Caller | null> {
    const found = await keys.find(secret);
    if (!found) return null;
    const { key, ended } = found;
    if (ended !== null) {
      onKeyRefused(key.name, ended);
      throw new ServingError(401, ended === 'expired' ? `The key ${key.name} has expired.` : `This secret of the key ${key.name} was replaced by another one.`);
    }
    return { principal: `key:${key.name}`, scopes: key.scopes, key };
  }

  /** 403 unless the caller's key, if it is one, is for the model; whether there is such a model is not told. */
  function requireModel({ key, principal }: Caller, model: string): void {
    if (key === null || key.models.includes(model)) return;
    onKeyRefused(key.name, 'model');
    throw new ServingError(403, `The key ${key.name} is not for the model ${model.slice(0, 80)}.`, { caller: principal });
  }

  return {
    /** The caller of a request, who must have the scope, and with a key be let to the model, where one is named: 401 without a valid token or key, 403 without either of these. */
    async require(authorization: string | undefined, scope: KeyScope, model: string | null): Promise<Caller> {
      const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) throw new ServingError(401, 'Send `Authorization: Bearer TOKEN`.');
      const known = token.startsWith(KEY_PREFIX) ? await holder(token) : await identify(token);
      if (!known) throw new ServingError(401, 'The token is not valid.');
      const caller: Caller = 'key' in known ? known : { principal: known.principal, scopes: known.scopes, key: null };
      if (!caller.scopes.includes(scope)) {
        if (caller.key) onKeyRefused(caller.key.name, 'scope');
        throw new ServingError(403, `The ${caller.key ? 'key' : 'token'} lacks the scope "${scope}".`, { caller: caller.principal });
      }
      if (model !== null) requireModel(caller, model);
      return caller;
    },

    requireModel,
  };
}
export type Authenticator = ReturnType<typeof createAuthenticator>;
