import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ApiKey } from '../../contract/api-key.js';
import { KeyBody, KeyParams, RotateKeyBody } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { parseDuration } from '../../domain/times.js';
import { ListedKey } from '../../stores/api-keys.js';
import { findEnvironment, findModel } from '../find.js';
import { defineRoute } from '../http/route.js';

const LONGEST_OVERLAP_MS = 90 * 86_400_000;

/** The secret is in this answer and nowhere else: only its hash is kept. */
export const createKey = defineRoute({
  method: 'POST', path: '/keys', summary: 'A new API key for prediction servers, shown once', access: ['admin'], status: 201, body: KeyBody,
  response: z.object({ key: ApiKey, secret: z.string() }),
  async handle({ body, caller, services: { stores } }) {
    await findEnvironment(stores, body.environment);
    for (const model of body.models) await findModel(stores, model);
    if (body.expiresAt !== null && Date.parse(body.expiresAt) <= Date.now()) throw new PerennialError('request/invalid', `body.expiresAt: ${body.expiresAt} is over already`);
    return stores.apiKeys.create({ ...body, models: [...new Set(body.models)], scopes: [...new Set(body.scopes)] }, { by: caller.principal, id: randomUUID() });
  },
});

export const listKeys = defineRoute({
  method: 'GET', path: '/keys', summary: 'API keys, with what of today\'s budget is used', access: ['admin', 'auditor'], response: z.object({ keys: z.array(ListedKey) }),
  handle: async ({ services: { stores } }) => ({ keys: await stores.apiKeys.list() }),
});

export const rotateKey = defineRoute({
  method: 'POST', path: '/keys/:name/rotate', summary: 'A new secret for a key, shown once; the one before stays good for a while', access: ['admin'], params: KeyParams, body: RotateKeyBody,
  response: z.object({ key: ApiKey, secret: z.string(), formerUntil: z.string() }),
  async handle({ params: { name }, body: { overlap }, caller, services: { stores } }) {
    const overlapMs = parseDuration(overlap);
    if (overlapMs > LONGEST_OVERLAP_MS) throw new PerennialError('request/invalid', `body.overlap: at most 90d, found ${overlap}`);
    return stores.apiKeys.rotate(name, overlapMs, { by: caller.principal, id: randomUUID() });
  },
});

export const revokeKey = defineRoute({
  method: 'POST', path: '/keys/:name/revoke', summary: 'A key stops counting', access: ['admin'], params: KeyParams, response: z.object({ key: ApiKey }),
  handle: async ({ params: { name }, caller, services: { stores } }) => ({ key: await stores.apiKeys.revoke(name, { by: caller.principal, id: randomUUID() }) }),
});
