import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Scope } from '../contract/policy.js';
import type { Database } from './database.js';
import type { Grant, Principal } from './principals.js';
import { At, parseRows } from './values.js';

export interface Authenticated { readonly principal: Principal; readonly roles: Grant[]; readonly scopes: Scope[]; readonly tokenId: string }
/** What is known of a token; the token itself is not kept. */
export const Token = z.object({ id: z.string(), principal: z.string(), name: z.string(), scopes: z.array(Scope), createdAt: At, revokedAt: At.nullable() });
export type Token = z.infer<typeof Token>;
export interface NewToken { readonly principal: string; readonly scopes: readonly Scope[]; readonly name: string }

const hashed = (token: string) => createHash('sha256').update(token, 'utf8').digest('hex');

/** Bearer tokens; part of the principals store. They carry 32 random bytes, so an unsalted sha256 cannot be guessed back. */
export function createTokensStore(db: Database, principals: { get(id: string): Promise<Principal | null>; roles(id: string): Promise<Grant[]> }) {
  async function ensureToken({ token, principal, scopes, name }: NewToken & { readonly token: string }): Promise<{ id: string }> {
    const rows = await db.query<{ id: string }>(
      `insert into tokens as known (id, principal, name, token_hash, scopes) values ($1, $2, $3, $4, $5)
       on conflict (token_hash) do update set name = known.name returning id`,
      [randomUUID(), principal, name, hashed(token), scopes]);
    const id = rows[0]?.id;
    if (id === undefined) throw new Error('PostgreSQL gave no id for a stored token');
    return { id };
  }

  return {
    /** A new token, given out this once: only its sha256 is stored. A repeated call makes another one. */
    async createToken(wanted: NewToken): Promise<{ token: string; id: string }> {
      const token = `pnl_${randomBytes(32).toString('base64url')}`;
      return { token, ...(await ensureToken({ ...wanted, token })) };
    },

    /** Makes a token that was generated elsewhere (by set-up, into a file) good; safe to repeat. A revoked one stays revoked. */
    ensureToken,

    /** Whose token this is; null for an unknown or revoked one and for a disabled principal. */
    async authenticate(token: string): Promise<Authenticated | null> {
      const [row] = await db.query<{ id: string; principal: string; scopes: string[] }>('select id, principal, scopes from tokens where token_hash = $1 and revoked_at is null', [hashed(token)]);
      if (!row) return null;
      const [principal, roles] = await Promise.all([principals.get(row.principal), principals.roles(row.principal)]);
      if (!principal || principal.disabledAt !== null) return null;
      return { principal, roles, scopes: z.array(Scope).parse(row.scopes), tokenId: row.id };
    },

    async revokeToken(id: string): Promise<void> {
      await db.query('update tokens set revoked_at = coalesce(revoked_at, now()) where id::text = $1', [id]);
    },

    async listTokens(principal: string): Promise<Token[]> {
      return parseRows(Token, await db.query('select id, principal, name, scopes, created_at as "createdAt", revoked_at as "revokedAt" from tokens where principal = $1 order by created_at', [principal]));
    },
  };
}
