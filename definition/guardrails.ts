import { z } from 'zod';
import { Label, Share } from './common.js';
import type { Target } from './target.js';
import type { Contradiction } from './task-contradictions.js';

const Answer = z.union([z.string(), z.number()]);

/** What answers instead of the version: always the same. */
export const FallBack = z.strictObject({ answer: Answer });
export type FallBack = z.infer<typeof FallBack>;

const Plain = z.enum(['reject', 'flag']);
const Instead = z.strictObject({ fallBack: FallBack });
export const GuardrailAction = z.union([Plain, Instead]);
export type GuardrailAction = z.infer<typeof GuardrailAction>;

/** What becomes of a row; of several the first that can be done, and behind the last one `reject`. */
const On = z.union([Plain, Instead, z.array(GuardrailAction).min(1).max(5)]);

const of = { name: Label, on: On };

/** A limit within which predictions are given as they are. */
export const Guardrail = z.discriminatedUnion('kind', [
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

interface Described { readonly target: Target }

/** Guardrails of answers that the model does not give, and answers that are none of its own. */
export function guardrailContradictions({ target }: Described, guardrails: readonly Guardrail[]): Contradiction[] {
  const isNumber = target.task === 'regression';
  return guardrails.flatMap((guardrail, index) => {
    const path = ['serving', 'guardrails', index] as const;
    const found: Contradiction[] = [];
    if (guardrail.kind === 'confidence' && isNumber) found.push({ path: [...path, 'kind'], expected: 'no confidence: a regression tells none' });
    if (guardrail.kind === 'output') {
      if (!isNumber) found.push({ path: [...path, 'kind'], expected: 'no limits of the output: classes have none; `confidence` is about their probabilities' });
      if (guardrail.minimum !== undefined && guardrail.maximum !== undefined && guardrail.minimum > guardrail.maximum) found.push({ path: [...path, 'maximum'], expected: 'at least `minimum`' });
    }
    for (const action of actionsOf(guardrail)) {
      if (typeof action === 'string') continue;
      if (!isAnswer(target, action.fallBack.answer)) found.push({ path: [...path, 'on', 'fallBack', 'answer'], expected: answerText(target) });
    }
    return found;
  });
}

function isAnswer(target: Target, answer: string | number): boolean {
  return target.task === 'regression' ? typeof answer === 'number' : typeof answer === 'string' && target.classes.includes(answer);
}

const answerText = (target: Target): string => (target.task === 'regression' ? 'a number' : `a class of this definition (${target.classes.join(', ')})`);
