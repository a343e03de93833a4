import type { Signature } from '../../contract/package.js';
import { actionsOf, type Guardrail } from '../../definition/guardrails.js';
import type { FallBack, Rules } from '../../definition/fall-back.js';
import type { CellRow } from '../cells.js';
import { fixedAnswer, type JudgeAnswer } from './answers.js';
import type { Instead } from './decide.js';
import { createRuleFinder, type RuleAnswer } from './rules.js';
import type { Answer } from '../outputs.js';

/** The rules of guardrails, each made once for a version. `names`: of a row's values. */
export type RuleFinders = ReadonlyMap<Rules, (row: CellRow) => RuleAnswer | null>;
export function ruleFinders(guardrails: readonly Guardrail[], names: readonly string[]): RuleFinders {
  const fallBacks = guardrails.flatMap((guardrail) => actionsOf(guardrail).flatMap((action) => (typeof action === 'string' ? [] : [action.fallBack])));
  return new Map(fallBacks.flatMap((fallBack) => (isRules(fallBack) ? [[fallBack, createRuleFinder(fallBack, names)] as const] : [])));
}

const isRules = (fallBack: FallBack): fallBack is Rules => typeof fallBack !== 'string' && 'rules' in fallBack;

/** A row that may be answered by something else. `previous`: what the version before says of it. */
export interface Replaceable {
  readonly signature: Signature; readonly names: readonly string[]; readonly rules: RuleFinders; readonly judges: readonly JudgeAnswer[];
  readonly row: CellRow; readonly isTable: boolean;
  readonly previous: { readonly version: number; readonly answer: Answer } | null;
}

/** What a fall-back gives for a row; null where it gives nothing that the model could have answered. */
export function answerInstead(fallBack: FallBack, { signature, names, rules, judges, row, isTable, previous }: Replaceable): Instead | null {
  /** An answer that a guardrail would find something of is none. */
  const fit = (answer: Answer | null): Answer | null => (answer && judges.every((judge) => judge(answer) === null) ? answer : null);
  if (fallBack === 'previous-version') {
    const answer = fit(previous?.answer ?? null);
    return answer && previous && { by: 'previous-version', version: previous.version, answer };
  }
  if (isRules(fallBack)) {
    const found = rules.get(fallBack)?.(row);
    const answer = found ? fixedAnswer(signature, found.answer) : null;
    return answer && found ? { by: 'rule', rule: found.rule, answer } : null;
  }
  if ('answer' in fallBack) {
    const answer = fixedAnswer(signature, fallBack.answer);
    return answer && { by: 'answer', answer };
  }
  const answer = isTable ? fit(fixedAnswer(signature, row[names.indexOf(fallBack.column)])) : null;
  return answer && { by: 'column', answer };
}
