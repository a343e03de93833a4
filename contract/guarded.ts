import { z } from 'zod';
import { Guardrail } from '../definition/guardrails.js';

const kinds = Guardrail.options.map(({ shape }) => shape.kind.value);
const Figure = z.number().nullable().describe('null: no finite number');

/** What was done about a row: refused, given with a flag, or answered by something else. */
export const GuardrailOutcome = z.enum(['reject', 'flag', 'answer', 'previous-version', 'column', 'rule']);
export type GuardrailOutcome = z.infer<typeof GuardrailOutcome>;

/** A guardrail that a row met: which value, what its limits are, and what was done. */
export const GuardrailTrigger = z.strictObject({
  guardrail: z.string(), kind: z.enum(kinds), column: z.string().optional(),
  value: z.union([Figure, z.string()]).optional().describe('beyond the limits; left out where the log may not hold it, or there is none'), minimum: z.number().optional(), maximum: z.number().optional(),
  expected: z.string().optional().describe('what the definition expects of each row, and this one is not'),
  action: GuardrailOutcome,
  rule: z.string().optional().describe('that answered, where one did'),
  skipped: z.array(z.string()).optional().describe('what the definition names before that, and could not be done'),
});
export type GuardrailTrigger = z.infer<typeof GuardrailTrigger>;

/** The version's own answer, that was not given; or what of it the log keeps. */
const OwnAnswer = z.union([z.strictObject({ class: z.string(), probabilities: z.array(Figure) }), z.strictObject({ class: z.string(), probability: Figure.optional() }), z.strictObject({ value: Figure })]);
export type OwnAnswer = z.infer<typeof OwnAnswer>;

/** What guardrails found of a prediction; `instead`: its answer is not the version's own, which is left out where the log may not hold it. */
export const Guarded = z.strictObject({
  triggers: z.array(GuardrailTrigger).min(1),
  instead: z.strictObject({ by: GuardrailOutcome, version: z.int().optional().describe('that answered, where another one did'), own: OwnAnswer.optional() }).optional(),
});
export type Guarded = z.infer<typeof Guarded>;

/** Of several rows; `row`: its place in the request, from 0. */
export const GuardedRow = Guarded.extend({ row: z.int().min(0) });
export type GuardedRow = z.infer<typeof GuardedRow>;

/** A trigger with the row it is of: as callers are told, who learn nothing of `value`, and as refusals are logged. */
export const RowTrigger = GuardrailTrigger.extend({ row: z.int().min(0).describe('of the request, from 0') });
export type RowTrigger = z.infer<typeof RowTrigger>;
