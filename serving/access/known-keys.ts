import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ServedKey } from '../../contract/api-key.js';
import { Instant } from '../../contract/ref.js';
import { KEYS_CHANNEL, type ApiKeysStore } from '../../stores/api-keys.js';
import type { Database } from '../../stores/database.js';
import { ServingError } from '../errors.js';
import { openStateFile } from '../state-file.js';
import { watchTable } from '../watched-table.js';

/** Not strict: an earlier release kept more. */
const KeysFile = z.object({ v: z.literal(1), environment: z.string(), readAt: Instant.nullable(), keys: z.array(ServedKey) });

export interface KnownKeysOptions {
  readonly database: Pick<Database, 'listen'>;
  readonly keys: Pick<ApiKeysStore, 'served'>;
  readonly environment: string;
  /** Where they are kept, for a restart while PostgreSQL is away; by the sha256 of their secrets. */
  readonly path: string;
  readonly pollMs?: number;
  /** For how long the keys are trusted while PostgreSQL is away. */
  readonly staleMs?: number;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface KnownKeys {
  /** The key of a secret, with why it counts no longer; null for a secret of no key. 503 where that cannot be known. */
  find(secret: string): Promise<{ readonly key: ServedKey; readonly ended: 'expired' | 'replaced' | null } | null>;
  close(): Promise<void>;
}

/** A key that was made a moment ago may come before the word of it: who comes with an unknown one waits until they are read again, this often at most. */
const LOOK_AGAIN_MS = 250;
/** A database that does not answer holds up who comes with an unknown key no longer than this. */
const PATIENCE_MS = 2_000;
const REWRITE_AFTER_MS = 10 * 60_000;

/** An environment's keys in memory. No request waits for PostgreSQL but the first of an unknown key. */
export async function openKnownKeys({ database, keys, environment, path, pollMs = 5_000, staleMs = 24 * 3_600_000, onProblem }: KnownKeysOptions): Promise<KnownKeys> {
  const file = await openStateFile(path, KeysFile, { v: 1, environment, readAt: null, keys: [] }, (found) => found.environment === environment);
  let secrets = index(file.value.keys);
  let readAt = file.value.readAt === null ? 0 : Date.parse(file.value.readAt);
  let savedAt = readAt;
  let looking: Promise<void> | null = null;

  async function read(): Promise<void> {
    const triedAt = Date.now();
    const found = await keys.served(environment);
    readAt = triedAt;
    const changed = JSON.stringify(found) !== JSON.stringify(file.value.keys);
    file.value.keys = found;
    if (changed) secrets = index(found);
    if (changed || readAt - savedAt > REWRITE_AFTER_MS) save();
  }

  function save(): void {
    file.value.readAt = new Date(readAt).toISOString();
    savedAt = readAt;
    file.save().catch((error: unknown) => { onProblem('the known API keys could not be written', error); });
  }

  const table = watchTable({ database, channel: KEYS_CHANNEL, concerns: (payload) => payload === environment, read, pollMs, name: 'API keys', onProblem });

  async function lookAgain(): Promise<void> {
    await sleep(Math.max(0, table.triedAt + LOOK_AGAIN_MS - Date.now()));
    await table.readAgain();
  }

  return {
    async find(secret) {
      const digest = hash('sha256', secret);
      if (!secrets.has(digest)) {
        looking ??= lookAgain().finally(() => { looking = null; });
        await Promise.race([looking, sleep(PATIENCE_MS, undefined, { ref: false })]);
      }
      const found = secrets.get(digest);
      const now = Date.now();
      if ((found === undefined && (table.away || looking)) || now - readAt > staleMs) throw new ServingError(503, 'Who is calling cannot be checked at the moment.', { retryAfter: 2 });
      if (!found) return null;
      const { key, validUntil } = found;
      const isOver = (time: string | null) => time !== null && Date.parse(time) <= now;
      return { key, ended: isOver(key.expiresAt) ? 'expired' : isOver(validUntil) ? 'replaced' : null };
    },
    close: () => table.close(),
  };
}

function index(keys: readonly ServedKey[]): ReadonlyMap<string, { readonly key: ServedKey; readonly validUntil: string | null }> {
  return new Map(keys.flatMap((key) => key.secrets.map(({ hash, validUntil }) => [hash, { key, validUntil }] as const)));
}
