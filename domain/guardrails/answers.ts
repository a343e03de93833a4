import type { Guardrail, GuardrailOf } from '../../definition/guardrails.js';
import type { Signature } from '../../contract/package.js';
import type { Answer } from '../outputs.js';
import type { Violation } from './violation.js';

/** A guardrail of what the version answers; null where it finds nothing. */
export type JudgeAnswer = (answer: Answer) => Violation | null;

/** The guardrails that look at answers, each made once for all rows. */
export function answerJudges(guardrails: readonly Guardrail[]): JudgeAnswer[] {
  return guardrails.flatMap((guardrail) => {
    switch (guardrail.kind) {
      case 'input-range': case 'input-category': case 'input-missing': case 'expectation': case 'outlier': return [];
      case 'confidence': return [confidence(guardrail)];
      case 'output': return [output(guardrail)];
    }
  });
}

function confidence(guardrail: GuardrailOf<'confidence'>): JudgeAnswer {
  const { below } = guardrail;
  const certainty = CERTAINTIES[guardrail.measure];
  return (answer) => {
    if ('value' in answer) return null;
    const value = certainty(answer.probabilities);
    return value >= below ? null : { guardrail, value, minimum: below };
  };
}

function output(guardrail: GuardrailOf<'output'>): JudgeAnswer {
  const { minimum = -Infinity, maximum = Infinity } = guardrail;
  const limits = { ...(guardrail.minimum === undefined ? {} : { minimum }), ...(guardrail.maximum === undefined ? {} : { maximum }) };
  return (answer) => {
    if (!('value' in answer)) return null;
    const { value } = answer;
    return Number.isFinite(value) && value >= minimum && value <= maximum ? null : { guardrail, value, ...limits };
  };
}

/**
 * How sure a classifier is, 0..1: the three measures of uncertainty sampling, turned round (B. Settles, "Active Learning Literature Survey",
 * 2009, 3.1: least confidence, margin, entropy). The entropy is taken as a share of that of classes that are all alike.
 */
const CERTAINTIES = {
  probability: (probabilities: readonly number[]): number => probabilities.reduce((most, one) => Math.max(most, one), 0),
  margin: (probabilities: readonly number[]): number => {
    let [first, second] = [0, 0];
    for (const one of probabilities) {
      if (Number.isNaN(one)) return NaN;
      if (one > first) [first, second] = [one, first];
      else if (one > second) second = one;
    }
    return first - second;
  },
  entropy: (probabilities: readonly number[]): number => 1 - probabilities.reduce((sum, one) => sum - (one === 0 ? 0 : one * Math.log(one)), 0) / Math.log(probabilities.length),
} as const satisfies Record<GuardrailOf<'confidence'>['measure'], (probabilities: readonly number[]) => number>;

/** An answer that is no version's own: a number; or a class, with all of the probability. Null where it is none of the model's. */
export function fixedAnswer(signature: Signature, answer: unknown): Answer | null {
  if (signature.task === 'regression') return typeof answer === 'number' && Number.isFinite(answer) ? { value: answer } : null;
  const at = typeof answer === 'string' ? signature.classes.indexOf(answer) : -1;
  return at < 0 ? null : { class: signature.classes[at] ?? '', probabilities: signature.classes.map((_class, index) => (index === at ? 1 : 0)) };
}
