import { z } from 'zod';
import { EvaluationReport } from './evaluation.js';
import { Instant, Ref, Sha256 } from './ref.js';

/** The rows of a frozen test set, named by `digest`. The first revision is what was frozen; each later one leaves out the row of `erasure`. */
export const FrozenRevision = z.object({ revision: z.int().min(1), digest: Sha256, manifest: Ref, rows: z.int().min(0), erasure: z.string().nullable(), madeAt: Instant });
export type FrozenRevision = z.infer<typeof FrozenRevision>;

/** The test rows of a snapshot under a name, with who froze them, when and why. Revisions: oldest first, at least one. */
export const FrozenSet = z.object({ model: z.string(), name: z.string(), snapshot: Sha256, reason: z.string(), by: z.string(), frozenAt: Instant, revisions: z.array(FrozenRevision).min(1) });
export type FrozenSet = z.infer<typeof FrozenSet>;

/** What the model that a run trained came to on the rows of a revision; `version` where it was registered. */
export const FrozenMeasurement = z.object({ digest: Sha256, run: z.string(), version: z.int().nullable(), report: EvaluationReport, measuredAt: Instant });
export type FrozenMeasurement = z.infer<typeof FrozenMeasurement>;

/**
 * How often a set was used to compare candidates, and how much better than it is the best of them may look for that: `byChance`, where none of them was
 * made after looking at the figures of others; `adaptively`, at worst, where each was. Both are shares of the rows.
 */
export const HoldoutUse = z.object({ comparisons: z.int(), rows: z.int(), byChance: z.number().nullable(), adaptively: z.number().nullable(), overused: z.boolean() });
export type HoldoutUse = z.infer<typeof HoldoutUse>;

/** A frozen test set with all that was measured on it, oldest first; `use` is that of its newest revision. */
export const FrozenRecord = z.object({ set: FrozenSet, use: HoldoutUse, measurements: z.array(FrozenMeasurement) });
export type FrozenRecord = z.infer<typeof FrozenRecord>;
