import { z } from 'zod';
import { Sha256 } from './ref.js';

/**
 * A person's decision on a run's evidence, by Signal or Update, same payload. `signature` is Ed25519 (base64) over the UTF-8 bytes of
 * the canonical JSON (RFC 8785) of the payload without `signature`, made with the approver's own key.
 */
export const Decision = z.strictObject({
  v: z.literal(1),
  run: z.string().min(1).max(128),
  evidence: Sha256,
  verdict: z.enum(['approve', 'reject']),
  comment: z.string().max(4000),
  approver: z.string().min(1).max(128),
  nonce: z.string().min(16).max(128),
  signature: z.base64().max(128),
});
export type Decision = z.infer<typeof Decision>;

/** Largest payload a handler enqueues, in characters of JSON. */
export const DECISION_MAX_CHARACTERS = 16_384;
