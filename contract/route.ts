import { z } from 'zod';
import { Instant } from './ref.js';

/** `share` is 0..1 of the traffic; shares of `live` arms sum to 1. */
export const Arm = z.strictObject({ version: z.int().min(1), role: z.enum(['live', 'canary', 'shadow']), share: z.number().min(0).max(1) });
export type Arm = z.infer<typeof Arm>;

/** What an environment serves of a model. Written by compare-and-set on `generation`; `intent` is unique, so that a retry finds its own write. No arms: nothing is served. */
export const Route = z.strictObject({
  environment: z.string(), model: z.string(), generation: z.int().min(1), intent: z.string().min(1), arms: z.array(Arm),
  keepWarmMs: z.int().min(0), writtenAt: Instant, writtenBy: z.string(), reason: z.string(),
});
export type Route = z.infer<typeof Route>;
