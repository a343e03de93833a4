import { z } from 'zod';

/** A run or a version among those that are compared. `losses`: of each epoch, as the training and the validation rows gave them. */
export const ComparedSubject = z.strictObject({
  name: z.string(), run: z.string(), version: z.int().nullable(), status: z.string(),
  losses: z.array(z.strictObject({ epoch: z.int(), training: z.number(), validation: z.number().nullable() })),
});
export type ComparedSubject = z.infer<typeof ComparedSubject>;

/** One fact of all subjects, in their order; null where a subject has none. */
export const ComparedFact = z.strictObject({ name: z.string(), values: z.array(z.union([z.number(), z.string(), z.null()])), same: z.boolean() });
export type ComparedFact = z.infer<typeof ComparedFact>;

/** `sameTestRows`: the metrics are of the same rows, and may be held against each other; null where that is not known. */
export const Comparison = z.strictObject({
  v: z.literal(1), subjects: z.array(ComparedSubject).min(2), sameTestRows: z.boolean().nullable(),
  metrics: z.array(ComparedFact), parameters: z.array(ComparedFact), data: z.array(ComparedFact), code: z.array(ComparedFact),
});
export type Comparison = z.infer<typeof Comparison>;
