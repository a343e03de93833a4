import { z } from 'zod';
import { Label, Share } from './common.js';
import { FallBack } from './fall-back.js';

const Plain = z.enum(['reject', 'flag']);
const Instead = z.strictObject({ fallBack: FallBack });
export const GuardrailAction = z.union([Plain, Instead]);
export type GuardrailAction = z.infer<typeof GuardrailAction>;

/** What becomes of a row; of several the first that can be done, and behind the last one `reject`. */
const On = z.union([Plain, Instead, z.array(GuardrailAction).min(1).max(5)]);

const of = { name: Label, on: On };
const columns = z.array(Label).min(1).max(2000).optional();

/** A limit within which predictions are given as they are. */
export const Guardrail = z.discriminatedUnion('kind', [
  /** Numbers, or brightness and contrast of pictures, that lie beyond those of the version's own training rows: by more than `tolerance` times their range. */
  z.strictObject({ kind: z.literal('input-range'), ...of, columns, tolerance: z.number().min(0).max(100).default(0) }),
  /** Categories that none of the version's own training rows had: to the network they are all the same, whatever they are. */
  z.strictObject({ kind: z.literal('input-category'), ...of, columns }),
  /** Values that are missing in columns which were never missing in the version's own training rows. */
  z.strictObject({ kind: z.literal('input-missing'), ...of, columns }),
  /** Rows that miss what `data.expectations` says of each row by itself; `severity`: only those of this one. */
  z.strictObject({ kind: z.literal('expectation'), ...of, severity: z.enum(['block', 'warn']).optional() }),
  /** Rows that lie farther from the mean of the version's own training rows, how columns hang together taken into account, than all but `share` of those. */
  z.strictObject({ kind: z.literal('outlier'), ...of, share: z.number().min(0).max(0.1).default(0.001) }),
  /** How sure the version is of its class: its probability, that less the second one's, or how far the entropy of all is from its largest, as a share of that. */
  z.strictObject({ kind: z.literal('confidence'), ...of, measure: z.enum(['probability', 'margin', 'entropy']).default('probability'), below: Share }),
  /** The value of a regression. One that is no finite number is always outside. */
  z.strictObject({ kind: z.literal('output'), ...of, minimum: z.number().optional(), maximum: z.number().optional() }),
]);
export type Guardrail = z.infer<typeof Guardrail>;
export type GuardrailOf<K extends Guardrail['kind']> = Extract<Guardrail, { kind: K }>;

/** What is tried for a row that a guardrail is about, in order. */
export function actionsOf({ on }: Pick<Guardrail, 'on'>): readonly GuardrailAction[] {
  return Array.isArray(on) ? on : [on];
}
