import { z } from 'zod';
import { Instant } from './ref.js';

/** What guardrails did about a version's rows, of `predictions` that were answered with `from <= at < to`. `rejected`: of a refused request the first 20 rows. */
export const GuardrailCounts = z.object({
  from: Instant, to: Instant, predictions: z.int().min(0),
  guardrails: z.array(z.object({ guardrail: z.string(), replaced: z.int().min(0), flagged: z.int().min(0), rejected: z.int().min(0) })),
});
export type GuardrailCounts = z.infer<typeof GuardrailCounts>;
