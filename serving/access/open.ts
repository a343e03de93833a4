import { join } from 'node:path';
import type { Database } from '../../stores/database.js';
import type { Stores } from '../../stores/index.js';
import { createAuthenticator, type Authenticator } from '../auth.js';
import { openKnownCallers } from '../known-callers.js';
import type { Metrics } from '../metrics.js';
import type { OnProblem } from '../problem.js';
import { createKeyLimits, type KeyLimits } from './key-limits.js';
import { openKnownKeys } from './known-keys.js';
import { createKeyRefusals } from './refusals.js';
import { createUseTeller } from './use-teller.js';

export interface AccessOptions {
  readonly database: Pick<Database, 'listen'>;
  readonly stores: Pick<Stores, 'principals' | 'apiKeys' | 'apiKeyUse'>;
  readonly environment: string;
  /** Folder for what is remembered of tokens and keys while PostgreSQL is away. */
  readonly scratch: string;
  readonly metrics: Pick<Metrics, 'keyRefused'>;
  readonly onProblem: OnProblem;
}

/** Who may call, and how much. */
export interface Access {
  readonly auth: Authenticator;
  readonly limits: KeyLimits;
  /** Resolves when what keys used today is known, or cannot be. */
  readonly begun: Promise<void>;
  close(): Promise<void>;
}

/** Tokens of principals and API keys, as PostgreSQL knows them or did last. */
export async function openAccess({ database, stores, environment, scratch, metrics, onProblem }: AccessOptions): Promise<Access> {
  const callers = await openKnownCallers(join(scratch, 'callers.json'), onProblem);
  const keys = await openKnownKeys({ database, keys: stores.apiKeys, environment, path: join(scratch, 'keys.json'), onProblem });
  const onKeyRefused = createKeyRefusals({ metrics, onProblem });
  const limits = createKeyLimits({ onRefused: onKeyRefused });
  const teller = createUseTeller({ limits, use: stores.apiKeyUse, environment, onProblem });
  const auth = createAuthenticator({
    keys, onKeyRefused,
    authenticate: async (token) => {
      const found = await stores.principals.authenticate(token);
      return found && { principal: found.principal.id, scopes: found.scopes };
    },
    known: callers.known,
    onChecked: (digest, caller) => callers.remember(digest, caller),
    onRefused: (digest) => callers.forget(digest),
  });
  return {
    auth, limits, begun: teller.begun,
    async close() { await Promise.all([keys.close(), teller.close()]); },
  };
}
