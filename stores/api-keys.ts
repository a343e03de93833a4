import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ApiKey, KEY_PREFIX, ServedKey } from '../contract/api-key.js';
import { PerennialError } from '../contract/errors.js';
import type { Database } from './database.js';
import { createLedgerStore } from './ledger.js';
import { PRINCIPALS_CHAIN } from './principals.js';
import { At, parseFirst, parseRows } from './values.js';

/** NOTIFY channel; the payload is the environment. */
export const KEYS_CHANNEL = 'api-keys';

/** A key as people see it: how much of today's budget is used (UTC, as last told by the servers), and until when each secret is good; null: until it is replaced. */
export const ListedKey = ApiKey.extend({ usedToday: z.int(), secrets: z.array(z.object({ madeAt: At, validUntil: At.nullable() })) });
export type ListedKey = z.infer<typeof ListedKey>;

export type NewKey = Pick<ApiKey, 'name' | 'environment' | 'models' | 'scopes' | 'ratePerSecond' | 'daily' | 'expiresAt'>;
/** Who does it, and the id under which the ledger knows that it was done. */
export interface Act { readonly by: string; readonly id: string }

const COLUMNS = `k.name, k.environment, k.models, k.scopes, k.rate_per_second as "ratePerSecond", k.daily, k.expires_at as "expiresAt",
  k.created_by as "createdBy", k.created_at as "createdAt", k.revoked_by as "revokedBy", k.revoked_at as "revokedAt"`;
/** For this long a server says of a replaced secret that it was replaced; later it is as any unknown one. */
const REMEMBERED = '30 days';

/** Keys of application teams. What changes one is in the ledger by the same transaction, and told to the environment's servers. */
export function createApiKeysStore(db: Database) {
  const get = async (name: string, on: Pick<Database, 'query'> = db): Promise<ApiKey | null> => parseFirst(ApiKey, await on.query(`select ${COLUMNS} from api_keys k where k.name = $1`, [name]));

  async function addSecret(tx: Database, name: string, by: string): Promise<string> {
    const key = `${KEY_PREFIX}${randomBytes(32).toString('base64url')}`; // as random as a token: its unsalted sha256 cannot be guessed back
    await tx.query('insert into api_key_secrets (hash, name, made_by) values ($1, $2, $3)', [createHash('sha256').update(key, 'utf8').digest('hex'), name, by]);
    return key;
  }

  async function record(tx: Database, { by, id }: Act, action: string, { name, environment }: Pick<ApiKey, 'name' | 'environment'>, subject: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await createLedgerStore(tx).append({ chain: PRINCIPALS_CHAIN, eventId: id, actor: by, action, subject: { key: name, environment, ...subject }, at: new Date().toISOString() });
    await tx.query('select pg_notify($1, $2)', [KEYS_CHANNEL, environment]);
  }

  /** The key, held against others who change it: `key/unknown`, or `key/revoked`. */
  async function held(tx: Database, name: string): Promise<ApiKey> {
    await tx.query('select 1 from api_keys where name = $1 for update', [name]);
    const key = await get(name, tx);
    if (!key) throw new PerennialError('key/unknown', `there is no key ${name}`, { key: name });
    if (key.revokedAt !== null) throw new PerennialError('key/revoked', `the key ${name} was revoked by ${key.revokedBy ?? 'somebody'}, ${key.revokedAt}`, { key: name });
    return key;
  }

  return {
    get: (name: string) => get(name),

    /** A new key; its secret is given out this once and only its sha256 is stored. Throws `key/taken`, also for a revoked one's name: the ledger speaks of keys by it. */
    async create(wanted: NewKey, act: Act): Promise<{ key: ApiKey; secret: string }> {
      const { name, environment, models, scopes, ratePerSecond, daily, expiresAt } = wanted;
      return db.transaction(async (tx) => {
        const added = await tx.query(
          `insert into api_keys (name, environment, models, scopes, rate_per_second, daily, expires_at, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (name) do nothing returning name`, [name, environment, models, scopes, ratePerSecond, daily, expiresAt, act.by]);
        if (added.length === 0) throw new PerennialError('key/taken', `there is a key ${name} already`, { key: name });
        const secret = await addSecret(tx, name, act.by);
        await record(tx, act, 'key-created', wanted, { models, scopes, ratePerSecond, daily, expiresAt });
        const key = await get(name, tx);
        if (!key) throw new Error(`the key ${name} vanished while it was added`);
        return { key, secret };
      });
    },

    /** One more secret; those before it are good for `overlapMs` more (or less, where they end earlier). Every call makes another one. */
    async rotate(name: string, overlapMs: number, act: Act): Promise<{ key: ApiKey; secret: string; formerUntil: string }> {
      return db.transaction(async (tx) => {
        const key = await held(tx, name);
        const formerUntil = new Date(Date.now() + overlapMs).toISOString();
        await tx.query('update api_key_secrets set valid_until = least(coalesce(valid_until, $2::timestamptz), $2::timestamptz) where name = $1', [name, formerUntil]);
        const secret = await addSecret(tx, name, act.by);
        await record(tx, act, 'key-rotated', key, { formerUntil });
        return { key, secret, formerUntil };
      });
    },

    /** Ends a key with all its secrets. */
    async revoke(name: string, act: Act): Promise<ApiKey> {
      return db.transaction(async (tx) => {
        const key = await held(tx, name);
        await tx.query('update api_keys set revoked_at = now(), revoked_by = $2 where name = $1', [name, act.by]);
        await record(tx, act, 'key-revoked', key);
        return (await get(name, tx)) ?? key;
      });
    },

    /** All keys, revoked ones too. */
    async list(): Promise<ListedKey[]> {
      return parseRows(ListedKey, await db.query(
        `select ${COLUMNS}, coalesce((select sum(u.used) from api_key_use u where u.name = k.name and u.day = (now() at time zone 'UTC')::date), 0)::bigint as "usedToday",
           (select coalesce(jsonb_agg(jsonb_build_object('madeAt', ${isoText('s.made_at')}, 'validUntil', ${isoText('s.valid_until')}) order by s.made_at), '[]') from api_key_secrets s
            where s.name = k.name and (s.valid_until is null or s.valid_until > now())) as secrets
         from api_keys k order by k.name`));
    },

    /** What an environment's servers let in. Keys that have ended are among them for a while, so that their holders are told so. */
    async served(environment: string): Promise<ServedKey[]> {
      return parseRows(ServedKey, await db.query(
        `select k.name, k.models, k.scopes, k.rate_per_second as "ratePerSecond", k.daily, k.expires_at as "expiresAt",
           (select coalesce(jsonb_agg(jsonb_build_object('hash', s.hash, 'validUntil', ${isoText('s.valid_until')})), '[]') from api_key_secrets s
            where s.name = k.name and (s.valid_until is null or s.valid_until > now() - interval '${REMEMBERED}')) as secrets
         from api_keys k where k.environment = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now() - interval '${REMEMBERED}') order by k.name`, [environment]));
    },
  };
}
export type ApiKeysStore = ReturnType<typeof createApiKeysStore>;

/** A time inside `jsonb`, as the stores give times. */
function isoText(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
