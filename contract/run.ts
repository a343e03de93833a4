import { z } from 'zod';
import { ModelFormat } from './imported.js';
import { Commit, Instant, Ref, Sha256 } from './ref.js';

/** Why a run was started. */
export const RunReason = z.strictObject({
  kind: z.enum(['commit', 'schedule', 'request', 'data', 'drift', 'loss', 'import']),
  detail: z.string().max(2000), by: z.string().max(128),
  /** Train again even though the same training digest and snapshot were trained. */
  force: z.boolean().default(false),
  /** A network that was trained elsewhere and takes the place of a training; `files`: the listing of its files. */
  imported: z.strictObject({ format: ModelFormat, files: Ref }).optional(),
});
export type RunReason = z.infer<typeof RunReason>;

/** Steps of a run, in the order of the loop. */
export const RUN_STEPS = ['queued', 'snapshot', 'validate', 'quick-pass', 'train', 'compress', 'evaluate', 'package', 'register', 'test-environment', 'evidence', 'approval', 'release', 'done'] as const;
export const RunStep = z.enum(RUN_STEPS);
export type RunStep = z.infer<typeof RunStep>;

/** `running` and `waiting` (for a decision) are open; the rest is how a run ended. `applied`: policy only, nothing trained. */
export const RUN_STATUSES = ['queued', 'running', 'waiting', 'released', 'applied', 'unchanged', 'rejected', 'expired', 'superseded', 'failed', 'cancelled', 'refused'] as const;
export const RunStatus = z.enum(RUN_STATUSES);
export type RunStatus = z.infer<typeof RunStatus>;

export const RunError = z.strictObject({ code: z.string(), message: z.string(), next: z.string(), details: z.record(z.string(), z.unknown()).optional() });
export type RunError = z.infer<typeof RunError>;

/** Progress of a run, read back by `show --follow`. `eventId` is unique in the run, so a retried activity writes it once. */
export const RunEvent = z.strictObject({
  id: z.int().optional(), run: z.string(), eventId: z.string(), at: Instant,
  kind: z.enum(['step', 'progress', 'note', 'gate', 'refusal', 'decision', 'mail', 'error', 'end']),
  step: RunStep.optional(), message: z.string(), data: z.record(z.string(), z.unknown()).default({}),
});
export type RunEvent = z.infer<typeof RunEvent>;

/** A definition at a commit, as the registry keeps it. */
export const DefinitionAtCommit = z.strictObject({ model: z.string(), repository: z.string(), commit: Commit, path: z.string(), trainingDigest: Sha256, policyDigest: Sha256 });
export type DefinitionAtCommit = z.infer<typeof DefinitionAtCommit>;
