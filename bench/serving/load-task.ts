import { z } from 'zod';

/** What the load generator is told: a file whose path is its only argument. */
export const LoadTask = z.strictObject({
  url: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  /** Files with one request body each; they are sent in turn. */
  bodies: z.array(z.string()).min(1),
  connections: z.int().min(1),
  seconds: z.number().positive(),
  /** Requests before anything is counted. */
  warmUp: z.int().min(0),
  /** `closed`: each connection sends when it was answered. Otherwise Poisson arrivals of this rate, whether answers come or not. */
  arrivals: z.union([z.literal('closed'), z.strictObject({ perSecond: z.number().positive(), seed: z.int() })]),
});
export type LoadTask = z.infer<typeof LoadTask>;

/** The one line that it prints. Latencies in milliseconds, of answered requests; with Poisson arrivals from the moment a request was due. */
export const LoadResult = z.strictObject({ answered: z.int(), failed: z.int(), perSecond: z.number(), p50: z.number(), p99: z.number() });
export type LoadResult = z.infer<typeof LoadResult>;
