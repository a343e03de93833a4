import { z } from 'zod';
import { Commit, Sha256 } from './ref.js';
import { RunReason, RunStatus } from './run.js';

/**
 * governor/<model> ← a reason to train. `cause` makes it idempotent: one run per model and cause. `ancestors`: the commits before
 * this one, nearest first, by which one that is told of too late is known to be older.
 */
export const TrainRequest = z.strictObject({ v: z.literal(1), id: z.string(), cause: z.string(), reason: RunReason, commit: Commit.nullable(), ancestors: z.array(Commit).max(100).optional() });
export type TrainRequest = z.infer<typeof TrainRequest>;

/** governor/<model> ← a lifecycle ended. */
export const RunEnded = z.strictObject({ v: z.literal(1), id: z.string(), run: z.string(), status: RunStatus });
export type RunEnded = z.infer<typeof RunEnded>;

/** environment/<model>/<environment> ← release this version, judged on this evidence. The answer goes to `replyTo` as the signal `released`. */
export const ReleaseRequest = z.strictObject({ v: z.literal(1), id: z.string(), run: z.string(), version: z.int(), evidence: Sha256, force: z.boolean(), by: z.string(), replyTo: z.string(), keepWarmMs: z.int() });
export type ReleaseRequest = z.infer<typeof ReleaseRequest>;

/** lifecycle ← the outcome of its release request. `stale`: what is live changed since the evidence was made; judge again. */
export const ReleaseReply = z.strictObject({ v: z.literal(1), id: z.string(), outcome: z.enum(['released', 'stale', 'refused', 'failed']), generation: z.int().nullable(), message: z.string(), unconfirmed: z.array(z.string()) });
export type ReleaseReply = z.infer<typeof ReleaseReply>;

/** environment/<model>/<environment> ← go back to the version before, and quarantine the one that is left. */
export const RollbackRequest = z.strictObject({ v: z.literal(1), id: z.string(), reason: z.string().min(1).max(2000), by: z.string(), to: z.int().nullable() });
export type RollbackRequest = z.infer<typeof RollbackRequest>;

/** environment ← releases go on (and the quarantine of `version`, when given, is lifted) or stop. */
export const ResumeRequest = z.strictObject({ v: z.literal(1), id: z.string(), version: z.int().nullable(), by: z.string(), reason: z.string().max(2000) });
export type ResumeRequest = z.infer<typeof ResumeRequest>;
export const PauseRequest = z.strictObject({ v: z.literal(1), id: z.string(), by: z.string(), reason: z.string().max(2000) });
export type PauseRequest = z.infer<typeof PauseRequest>;
/** environment ← an operator wrote the route while Temporal was away: reconcile. */
export const RouteChanged = z.strictObject({ v: z.literal(1), id: z.string() });
export type RouteChanged = z.infer<typeof RouteChanged>;
/** lifecycle ← stop this run. */
export const CancelRequest = z.strictObject({ v: z.literal(1), id: z.string(), by: z.string(), reason: z.string().max(2000), superseded: z.boolean() });
export type CancelRequest = z.infer<typeof CancelRequest>;

export * from './names.js';
