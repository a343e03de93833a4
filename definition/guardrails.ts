import { z } from 'zod';
import { typedColumns } from './columns.js';
import type { Column } from './columns.js';
import { Label, Share } from './common.js';
import type { Target } from './target.js';
import type { Contradiction } from './task-contradictions.js';

const Answer = z.union([z.string(), z.number()]);

/** What answers instead of the version: the one before it, as long as that is kept warm; always the same; or a value of the row. */
export const FallBack = z.union([z.literal('previous-version'), z.strictObject({ answer: Answer }), z.strictObject({ column: Label })]);
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
  /** Numbers, or brightness and contrast of pictures, that lie beyond those of the version's own training rows: by more than `tolerance` times their range. */
  z.strictObject({ kind: z.literal('input-range'), ...of, columns: z.array(Label).min(1).max(2000).optional(), tolerance: z.number().min(0).max(100).default(0) }),
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

interface Described { readonly kind: 'table' | 'images'; readonly target: Target; readonly columns?: readonly Column[] }

const FIGURES = ['brightness', 'contrast'].map((name) => ({ name, type: 'number' as const }));

/** Guardrails of what the model does not take or give, and answers that are none of its own. `redacted`: columns that the log may not hold, as it holds answers. */
export function guardrailContradictions({ kind, target, columns = [] }: Described, guardrails: readonly Guardrail[], redacted: readonly string[]): Contradiction[] {
  const isNumber = target.task === 'regression';
  const inputs = kind === 'images' ? FIGURES : typedColumns(columns);
  const numbers = inputs.filter(({ type }) => type === 'number').map(({ name }) => name);
  const answering = typedColumns(columns).filter(({ name, type }) => type === (isNumber ? 'number' : 'text') && !redacted.includes(name)).map(({ name }) => name);
  return guardrails.flatMap((guardrail, index) => {
    const path = ['serving', 'guardrails', index] as const;
    const found: Contradiction[] = [];
    if (guardrail.kind === 'input-range') guardrail.columns?.forEach((name, place) => { if (!numbers.includes(name)) found.push({ path: [...path, 'columns', place], expected: `one of ${numbers.slice(0, 20).join(', ')}` }); });
    if (guardrail.kind === 'outlier' && numbers.length === 0) found.push({ path: [...path, 'kind'], expected: 'no outlier: the model takes no numbers' });
    if (guardrail.kind === 'confidence' && isNumber) found.push({ path: [...path, 'kind'], expected: 'no confidence: a regression tells none' });
    if (guardrail.kind === 'output') {
      if (!isNumber) found.push({ path: [...path, 'kind'], expected: 'no limits of the output: classes have none; `confidence` is about their probabilities' });
      if (guardrail.minimum !== undefined && guardrail.maximum !== undefined && guardrail.minimum > guardrail.maximum) found.push({ path: [...path, 'maximum'], expected: 'at least `minimum`' });
    }
    for (const action of actionsOf(guardrail)) {
      if (typeof action === 'string' || action.fallBack === 'previous-version') continue;
      const at = [...path, 'on', 'fallBack'] as const;
      if ('answer' in action.fallBack) {
        if (!isAnswer(target, action.fallBack.answer)) found.push({ path: [...at, 'answer'], expected: answerText(target) });
      } else if (!answering.includes(action.fallBack.column)) {
        found.push({ path: [...at, 'column'], expected: `a column of ${isNumber ? 'numbers' : 'texts'} that the prediction log does not redact, since it holds what was answered` });
      }
    }
    return found;
  });
}

function isAnswer(target: Target, answer: string | number): boolean {
  return target.task === 'regression' ? typeof answer === 'number' : typeof answer === 'string' && target.classes.includes(answer);
}

const answerText = (target: Target): string => (target.task === 'regression' ? 'a number' : `a class of this definition (${target.classes.join(', ')})`);
