import { z } from 'zod';
import { Label } from './common.js';

const Answer = z.union([z.string(), z.number()]);
const Bound = z.number().optional();
const Value = z.union([z.string(), z.number(), z.boolean()]);

/** What a condition compares, of which it does one. */
export const COMPARISONS = ['below', 'atLeast', 'above', 'atMost', 'between', 'is', 'in', 'missing'] as const;

/** What a column of a row has to be. A missing value is below, above and between nothing, and equals nothing. */
export const Condition = z.strictObject({
  column: Label,
  below: Bound, atLeast: Bound, above: Bound, atMost: Bound,
  /** Both ends belong to it. */
  between: z.strictObject({ min: z.number(), max: z.number() }).optional(),
  is: Value.optional(),
  in: z.array(Value).min(1).max(1_000).optional(),
  missing: z.boolean().optional(),
}).refine((condition) => COMPARISONS.filter((name) => condition[name] !== undefined).length === 1, `a column and one of ${COMPARISONS.join(', ')}`);
export type Condition = z.infer<typeof Condition>;

/** The rule that stands for `otherwise` where it is told which one answered. */
export const OTHERWISE = 'otherwise';

/** Answers of conditions over raw columns: the first rule answers all of whose conditions hold; else `otherwise`, where there is one. */
export const Rules = z.strictObject({
  rules: z.array(z.strictObject({ name: Label, when: z.array(Condition).min(1).max(20), answer: Answer })).min(1).max(50),
  otherwise: Answer.optional(),
});
export type Rules = z.infer<typeof Rules>;

/** What answers instead of the version: the one before it, as long as that is kept warm; always the same; a value of the row; or what rules make of the row. */
export const FallBack = z.union([z.literal('previous-version'), z.strictObject({ answer: Answer }), z.strictObject({ column: Label }), Rules]);
export type FallBack = z.infer<typeof FallBack>;
