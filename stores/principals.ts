import { z } from 'zod';
import { Role } from '../contract/policy.js';
import type { Database } from './database.js';
import { createTokensStore } from './tokens.js';
import { At, parseFirst, parseRows } from './values.js';

/** The ledger's chain of who may do what: roles, tokens, keys. */
export const PRINCIPALS_CHAIN = '*/principals';

/** A person or a machine. `publicKey`: Ed25519, 32 bytes in base64, for signing decisions. */
export const Principal = z.object({
  id: z.string(), kind: z.enum(['person', 'machine']), displayName: z.string(), email: z.string().nullable(), publicKey: z.string().nullable(), disabledAt: At.nullable(), createdAt: At,
});
export type Principal = z.infer<typeof Principal>;
/** `environment` null: in every environment. */
export const Grant = z.object({ role: Role, environment: z.string().nullable() });
export type Grant = z.infer<typeof Grant>;

const COLUMNS = 'p.id, p.kind, p.display_name as "displayName", p.email, p.public_key as "publicKey", p.disabled_at as "disabledAt", p.created_at as "createdAt"';
const isPublicKey = (key: string) => Buffer.from(key, 'base64').length === 32;

export function createPrincipalsStore(db: Database) {
  async function get(id: string): Promise<Principal | null> {
    return parseFirst(Principal, await db.query(`select ${COLUMNS} from principals p where p.id = $1`, [id]));
  }
  async function roles(principal: string): Promise<Grant[]> {
    return parseRows(Grant, await db.query('select role, environment from principal_roles where principal = $1 order by role, environment nulls first', [principal]));
  }
  function requirePublicKey(key: string): void {
    if (!isPublicKey(key)) throw new RangeError('A public key is 32 bytes (Ed25519) in base64');
  }

  return {
    ...createTokensStore(db, { get, roles }),
    get,
    roles,

    /** Adds a principal; one that is there already stays as it is, key included, and is given back. */
    async create({ id, kind, displayName, email, publicKey }: { id: string; kind: Principal['kind']; displayName: string; email: string | null; publicKey: string | null }): Promise<Principal> {
      if (publicKey !== null) requirePublicKey(publicKey);
      await db.query('insert into principals (id, kind, display_name, email, public_key) values ($1, $2, $3, $4, $5) on conflict (id) do nothing', [id, kind, displayName, email, publicKey]);
      const principal = await get(id);
      if (!principal) throw new Error(`The principal ${id} vanished while it was added`);
      return principal;
    },

    async list(): Promise<Principal[]> {
      return parseRows(Principal, await db.query(`select ${COLUMNS} from principals p order by p.id`));
    },

    async grant(principal: string, role: Role, environment: string | null): Promise<void> {
      await db.query('insert into principal_roles (principal, role, environment) values ($1, $2, $3) on conflict do nothing', [principal, role, environment]);
    },

    async revoke(principal: string, role: Role, environment: string | null): Promise<void> {
      await db.query('delete from principal_roles where principal = $1 and role = $2 and environment is not distinct from $3', [principal, role, environment]);
    },

    /** Enabled principals who have the role in this environment or in all; `environment` null asks for those who have it in all. */
    async withRole(role: Role, environment: string | null): Promise<Principal[]> {
      return parseRows(Principal, await db.query(
        `select ${COLUMNS} from principals p where p.disabled_at is null
           and exists (select 1 from principal_roles r where r.principal = p.id and r.role = $1 and (r.environment is null or r.environment = $2)) order by p.id`,
        [role, environment]));
    },

    async setPublicKey(principal: string, publicKey: string): Promise<void> {
      requirePublicKey(publicKey);
      await db.query('update principals set public_key = $2 where id = $1', [principal, publicKey]);
    },

    /** Its tokens stop working at once and its decisions are not accepted any more. */
    async disable(principal: string): Promise<void> {
      await db.query('update principals set disabled_at = coalesce(disabled_at, now()) where id = $1', [principal]);
    },
  };
}
export type PrincipalsStore = ReturnType<typeof createPrincipalsStore>;
