import { z } from 'zod';
import { RowTrigger } from '../../contract/guarded.js';
import { Instant } from '../../contract/ref.js';
import { Arm } from '../../contract/route.js';

/** A record of a request that was answered with an error; of the request itself nothing is kept but how many rows it had. */
export const RefusalRecord = z.strictObject({
  v: z.literal(1), kind: z.literal('refusal'),
  id: z.string(), requestId: z.string(), model: z.string(), version: z.int().nullable(), environment: z.string(), role: Arm.shape.role.nullable(), generation: z.int().nullable(), replica: z.string(),
  at: Instant, status: z.int(), reason: z.string().nullable(), rows: z.int().nullable(), latencyMs: z.number(), traceId: z.string().nullable(),
  /** Left out by an earlier release. */
  caller: z.string().nullable().default(null),
  /** Left out where no guardrail refused the rows. */
  guardrails: z.array(RowTrigger).optional(),
});
export type RefusalRecord = z.infer<typeof RefusalRecord>;
/** A refusal on its way to PostgreSQL. */
export type LoggedRefusal = Omit<RefusalRecord, 'v'>;
