import type { GuardrailTrigger } from '../../contract/guarded.js';
import type { Guardrail } from '../../definition/guardrails.js';

/** What a guardrail finds of a row, before it is decided what is done. */
export type Violation = Pick<GuardrailTrigger, 'column' | 'minimum' | 'maximum' | 'expected'> & { readonly guardrail: Guardrail; readonly value?: number | string };

/** A trigger in words, for whoever asked: what is wrong, and the limits. How sure the model was, and what it said, is not theirs to know. */
export function describeTrigger({ kind, column, minimum, maximum, expected }: Pick<GuardrailTrigger, 'kind' | 'column' | 'minimum' | 'maximum' | 'expected'>): string {
  switch (kind) {
    case 'input-range': return `${column ?? 'a column'} is not ${rangeText(minimum, maximum)}, as it was in training`;
    case 'input-category': return `${column ?? 'a column'} holds a category that no row of training had`;
    case 'input-missing': return `${column ?? 'a column'} is missing, as it was in no row of training`;
    case 'expectation': return `the row is not as it has to be: ${expected ?? ''}`;
    case 'outlier': return `the row lies farther from those of training than ${maximum ?? 0}, taken as a whole`;
    case 'confidence': return `the model's certainty is below ${minimum ?? 0}`;
    case 'output': return `the model's value is not ${rangeText(minimum, maximum)}`;
  }
}

function rangeText(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === undefined && maximum === undefined) return 'a finite number';
  if (minimum === undefined) return `at most ${maximum ?? 0}`;
  return maximum === undefined ? `at least ${minimum}` : `between ${minimum} and ${maximum}`;
}

/** A trigger as callers are told. */
export function toldTrigger(row: number, { value: _value, ...trigger }: GuardrailTrigger): GuardrailTrigger & { readonly row: number } {
  return { row, ...trigger };
}
