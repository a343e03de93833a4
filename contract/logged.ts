import { z } from 'zod';
import { KeptExplanation } from './explanation.js';
import { Guarded, RowTrigger } from './guarded.js';
import { Instant } from './ref.js';

/** A prediction or a refusal as the log tells of it, without its inputs. `caller`: `key:<name>` of an API key, or a principal; null where it is not known. */
const shared = { id: z.string(), requestId: z.string(), model: z.string(), environment: z.string(), replica: z.string(), at: Instant, latencyMs: z.number(), traceId: z.string().nullable(), caller: z.string().nullable() };

export const LoggedPredictionView = z.object({
  ...shared, version: z.int(), role: z.string(), generation: z.int(), inputKept: z.string(), attributes: z.record(z.string(), z.string()), outputs: z.record(z.string(), z.unknown()).nullable(),
  guarded: Guarded.nullable().default(null),
  explanation: KeptExplanation.nullable(),
});
export const LoggedRefusalView = z.object({ ...shared, version: z.int().nullable(), role: z.string().nullable(), generation: z.int().nullable(), status: z.int(), reason: z.string().nullable(), rows: z.int().nullable(), guardrails: z.array(RowTrigger).nullable().default(null) });

/** What the log holds of a prediction, or of a request. */
export const LoggedView = z.object({ predictions: z.array(LoggedPredictionView), refusals: z.array(LoggedRefusalView) });
export type LoggedView = z.infer<typeof LoggedView>;
