import { z } from 'zod';
import { Label, ModelName } from '../definition/common.js';
import { Instant, Sha256 } from './ref.js';
import { Scope } from './policy.js';

/** What a key may do; the control API is for principals. */
export const KeyScope = Scope.exclude(['api']);
export type KeyScope = z.infer<typeof KeyScope>;

/** By how much a key's holder may ask. Limits count predictions, which are rows: a request of 100 rows is 100. Null: no limit. */
export const KeyLimits = z.object({ ratePerSecond: z.number().positive().nullable(), daily: z.int().positive().nullable() });
export type KeyLimits = z.infer<typeof KeyLimits>;

/** A key, without its secrets. */
export const ApiKey = KeyLimits.extend({
  name: Label, environment: Label, models: z.array(ModelName).min(1), scopes: z.array(KeyScope).min(1), expiresAt: Instant.nullable(),
  createdBy: z.string(), createdAt: Instant, revokedBy: z.string().nullable(), revokedAt: Instant.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** A key as prediction servers know it: what it allows, and the sha256 of each secret that is good or was until lately, with the time until when. */
export const ServedKey = KeyLimits.extend({
  name: Label, models: z.array(ModelName), scopes: z.array(KeyScope), expiresAt: Instant.nullable(),
  secrets: z.array(z.object({ hash: Sha256, validUntil: Instant.nullable() })),
});
export type ServedKey = z.infer<typeof ServedKey>;

/** How secrets of keys begin: a leaked one is told from a token, and found by scanners. */
export const KEY_PREFIX = 'pnk_';
