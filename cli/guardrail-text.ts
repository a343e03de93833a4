import type { GuardrailOutcome, GuardrailTrigger } from '../contract/guarded.js';
import { describeTrigger } from '../domain/guardrails/violation.js';

const DONE = { flag: 'given all the same', reject: 'refused', answer: 'the fixed answer was given', 'previous-version': 'the version before answered', column: 'a column\'s value was given', rule: 'a rule answered' } as const satisfies Record<GuardrailOutcome, string>;

/** What a guardrail found, and what was done. */
export function triggerText(trigger: GuardrailTrigger): string {
  const { guardrail, value, action, rule, skipped = [] } = trigger;
  const done = rule === undefined ? DONE[action] : `the rule ${rule} answered`;
  return `guardrail ${guardrail}: ${describeTrigger(trigger)}${value === undefined ? '' : ` (${typeof value === 'string' ? JSON.stringify(value) : value ?? 'no finite number'})`}; ${done}${skipped.length > 0 ? ` (${skipped.join(', ')} could not be done)` : ''}`;
}
