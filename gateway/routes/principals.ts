import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { PrincipalBody, PrincipalId, PublicKeyBody, RoleBody, TokenBody } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import type { Stores } from '../../stores/index.js';
import { PRINCIPALS_CHAIN } from '../../stores/principals.js';
import { defineRoute } from '../http/route.js';

const Identified = z.strictObject({ id: PrincipalId });

export const listPrincipals = defineRoute({
  method: 'GET', path: '/principals', summary: 'People and machines with their roles', access: ['admin', 'auditor'],
  async handle({ services: { stores } }) {
    const principals = await stores.principals.list();
    return { principals: await Promise.all(principals.map(async (principal) => ({ ...principal, roles: await stores.principals.roles(principal.id) }))) };
  },
});

export const createPrincipal = defineRoute({
  method: 'POST', path: '/principals', summary: 'Add a person or a machine; one that is there stays as it is', access: ['admin'], status: 201, body: PrincipalBody,
  async handle({ body, caller, services: { stores } }) {
    const principal = await stores.principals.create(body);
    await note(stores, caller.principal, 'principal-added', { principal: body.id });
    return { principal };
  },
});

export const grantRole = defineRoute({
  method: 'POST', path: '/principals/:id/roles', summary: 'Give a role, everywhere or in one environment', access: ['admin'], params: Identified, body: RoleBody,
  async handle({ params: { id }, body, caller, services: { stores } }) {
    await findPrincipal(stores, id);
    await note(stores, caller.principal, 'role-granted', { principal: id, ...body });
    await stores.principals.grant(id, body.role, body.environment);
    return { principal: id, roles: await stores.principals.roles(id) };
  },
});

export const revokeRole = defineRoute({
  method: 'POST', path: '/principals/:id/roles/revoke', summary: 'Take a role away', access: ['admin'], params: Identified, body: RoleBody,
  async handle({ params: { id }, body, caller, services: { stores } }) {
    await findPrincipal(stores, id);
    await note(stores, caller.principal, 'role-revoked', { principal: id, ...body });
    await stores.principals.revoke(id, body.role, body.environment);
    return { principal: id, roles: await stores.principals.roles(id) };
  },
});

export const disablePrincipal = defineRoute({
  method: 'POST', path: '/principals/:id/disable', summary: 'Its tokens and its signature stop counting at once', access: ['admin'], params: Identified,
  async handle({ params: { id }, caller, services: { stores } }) {
    await findPrincipal(stores, id);
    await note(stores, caller.principal, 'principal-disabled', { principal: id });
    await stores.principals.disable(id);
    return { principal: await stores.principals.get(id) };
  },
});

/** The token is in this answer and nowhere else: only its hash is kept. */
export const createToken = defineRoute({
  method: 'POST', path: '/principals/:id/tokens', summary: 'A new token, shown once', access: ['admin'], status: 201, params: Identified, body: TokenBody,
  async handle({ params: { id }, body, caller, services: { stores } }) {
    await findPrincipal(stores, id);
    const created = await stores.principals.createToken({ principal: id, scopes: body.scopes, name: body.name });
    await note(stores, caller.principal, 'token-created', { principal: id, token: created.id, scopes: body.scopes });
    return { principal: id, ...created };
  },
});

export const putPublicKey = defineRoute({
  method: 'PUT', path: '/principals/:id/public-key', summary: 'Register the public half of an approver\'s key', access: ['admin'], params: Identified, body: PublicKeyBody,
  async handle({ params: { id }, body, caller, services: { stores } }) {
    await findPrincipal(stores, id);
    await note(stores, caller.principal, 'key-changed', { principal: id, publicKey: body.publicKey });
    await stores.principals.setPublicKey(id, body.publicKey);
    return { principal: await stores.principals.get(id) };
  },
});

async function findPrincipal(stores: Stores, id: string): Promise<void> {
  if (!(await stores.principals.get(id))) throw new PerennialError('request/invalid', `path.id: there is no principal ${id}`);
}

/** Noted before it happens: what cannot be noted does not happen. */
async function note(stores: Stores, actor: string, action: string, subject: Readonly<Record<string, unknown>>): Promise<void> {
  await stores.ledger.append({ chain: PRINCIPALS_CHAIN, eventId: randomUUID(), actor, action, subject, at: new Date().toISOString() });
}
