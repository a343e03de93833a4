import { z } from 'zod';
import { TrainProgress } from './frames.js';
import { RunError } from './run.js';

/** `identical`: every bit of the weights and every figure. `within-tolerance`: near enough for trainings by several threads. */
export const REPRODUCTION_VERDICTS = ['identical', 'within-tolerance', 'different'] as const;
export const ReproductionVerdict = z.enum(REPRODUCTION_VERDICTS);
export type ReproductionVerdict = z.infer<typeof ReproductionVerdict>;

/** How two sets of weights differ; `largest` is the largest absolute difference of two values, null where they cannot be compared. */
export const WeightsComparison = z.strictObject({
  identical: z.boolean(), values: z.int().min(0), differing: z.int().min(0), largest: z.number().nullable(),
  /** The weights that differ most, the worst first. */
  tensors: z.array(z.strictObject({ name: z.string(), differing: z.int(), largest: z.number().nullable() })).max(10),
});
export type WeightsComparison = z.infer<typeof WeightsComparison>;

const Changed = z.strictObject({ what: z.string(), then: z.string(), now: z.string() });

/** What a version that was built again turned out to be. `environment` names what differs between the machine of then and the one of now. */
export const ReproductionReport = z.strictObject({
  v: z.literal(1),
  verdict: ReproductionVerdict,
  environment: z.array(Changed),
  /** Null: nothing but equality counts. Otherwise the largest absolute difference that does, of weights and of figures. */
  tolerance: z.strictObject({ weights: z.number().min(0), metrics: z.number().min(0) }).nullable(),
  weights: WeightsComparison,
  /** Figures on the test rows, as the package says and as they came out now. */
  metrics: z.array(z.strictObject({ name: z.string(), then: z.number().nullable(), now: z.number().nullable() })),
  /** The verdict's reasons in words, differences of the environment first. */
  because: z.array(z.string()),
});
export type ReproductionReport = z.infer<typeof ReproductionReport>;

export const ReproductionStatus = z.enum(['running', ...REPRODUCTION_VERDICTS, 'failed']);
export type ReproductionStatus = z.infer<typeof ReproductionStatus>;

/** A reproduction as the registry keeps it. */
export const Reproduction = z.object({
  id: z.string(), model: z.string(), version: z.int(), by: z.string(), tolerance: z.number().nullable(), status: ReproductionStatus,
  progress: TrainProgress.nullable(), report: ReproductionReport.nullable(), error: RunError.nullable(), startedAt: z.string(), endedAt: z.string().nullable(),
});
export type Reproduction = z.infer<typeof Reproduction>;
