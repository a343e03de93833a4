import type { Guarded, GuardrailOutcome, GuardrailTrigger, OwnAnswer } from '../../contract/guarded.js';
import { actionsOf } from '../../definition/guardrails.js';
import type { FallBack } from '../../definition/fall-back.js';
import type { Answer } from '../outputs.js';
import type { Violation } from './violation.js';

/** An answer in the place of the version's own. `rule`: which one, where rules gave it. */
export interface Instead { readonly by: Exclude<GuardrailOutcome, 'reject' | 'flag'>; readonly version?: number; readonly rule?: string; readonly answer: Answer }

/** What becomes of a row: refused where `rejected`; else `answer` is given. */
export interface Decision { readonly rejected: boolean; readonly answer: Answer; readonly guarded: Guarded }

/**
 * What is done about a row that guardrails found something of. Each does the first of its actions that can be done, and refuses the row where
 * none can; the first answer that is found stands for all of them. `find`: what the fall-back gives; null where it is not there.
 */
export function decideRow(violations: readonly Violation[], own: Answer, find: (fallBack: FallBack) => Instead | null): Decision {
  let instead: Instead | null = null;
  const triggers = violations.map(({ guardrail, value, ...limits }): GuardrailTrigger => {
    const skipped: string[] = [];
    const trigger = (action: GuardrailOutcome, rule?: string): GuardrailTrigger => ({
      guardrail: guardrail.name, kind: guardrail.kind, ...(value === undefined ? {} : { value: typeof value === 'number' ? figureOf(value) : value }), ...limits, action,
      ...(rule === undefined ? {} : { rule }), ...(skipped.length === 0 ? {} : { skipped }),
    });
    for (const action of actionsOf(guardrail)) {
      if (action === 'reject') break;
      if (action === 'flag') {
        if (isGivable(own)) return trigger('flag');
        skipped.push(action);
        continue;
      }
      instead ??= find(action.fallBack);
      if (instead) return trigger(instead.by, instead.rule);
      skipped.push(nameOf(action.fallBack));
    }
    return trigger('reject');
  });
  // An answer of before the assignments in the closure, as far as types go.
  const replaced = instead as Instead | null;
  return {
    rejected: triggers.some(({ action }) => action === 'reject'),
    answer: replaced?.answer ?? own,
    guarded: { triggers, ...(replaced ? { instead: { by: replaced.by, ...(replaced.version === undefined ? {} : { version: replaced.version }), own: ownAnswer(own) } } : {}) },
  };
}

/** What a fall-back is called where it is counted and told. */
export function nameOf(fallBack: FallBack): Instead['by'] {
  if (fallBack === 'previous-version') return fallBack;
  if ('rules' in fallBack) return 'rule';
  return 'answer' in fallBack ? 'answer' : 'column';
}

/** Whether a row may be answered by the version before. */
export function asksPrevious(violations: readonly Violation[]): boolean {
  return violations.some(({ guardrail }) => actionsOf(guardrail).some((action) => typeof action !== 'string' && action.fallBack === 'previous-version'));
}

/** Whether nothing is tried before the row is refused. */
export const isRefusedAtOnce = ({ guardrail }: Violation): boolean => actionsOf(guardrail)[0] === 'reject';

/** JSON knows no number that is not finite, so such an answer cannot be given with a flag. */
const isGivable = (answer: Answer): boolean => ('value' in answer ? Number.isFinite(answer.value) : answer.probabilities.every(Number.isFinite));

const figureOf = (value: number): number | null => (Number.isFinite(value) ? value : null);

function ownAnswer(answer: Answer): OwnAnswer {
  return 'value' in answer ? { value: figureOf(answer.value) } : { class: answer.class, probabilities: answer.probabilities.map(figureOf) };
}
