import type { GuardedRow, RowTrigger } from '../../contract/guarded.js';
import type { Signature } from '../../contract/package.js';
import { answerJudges, fixedAnswer, type JudgeAnswer } from '../../domain/guardrails/answers.js';
import { decideRow, type Decision, type Instead } from '../../domain/guardrails/decide.js';
import { describeTrigger, type Violation } from '../../domain/guardrails/violation.js';
import type { Answer } from '../../domain/outputs.js';
import type { ServingPolicy } from '../../stores/models.js';
import { ServingError } from '../errors.js';
import type { Metrics } from '../metrics.js';

export interface GuardsOptions {
  readonly guardrailsOf: (model: string) => ServingPolicy['guardrails'];
  readonly metrics: Pick<Metrics, 'guarded'>;
}

/** A version, as far as guardrails ask for it. */
export interface GuardedVersion { readonly signature: Signature }

/** A request whose rows are computed. */
export interface Computed { readonly model: string; readonly served: GuardedVersion; readonly answers: readonly Answer[] }

/** `answers`: what is given, row by row; `guarded`: the rows that guardrails found something of. */
export interface Guarded { readonly answers: readonly Answer[]; readonly guarded: readonly GuardedRow[] }

interface Compiled { readonly guardrails: ServingPolicy['guardrails']; readonly answers: readonly JudgeAnswer[] }

/** Rows that a refusal names. */
const NAMED_ROWS = 20;
const NONE: readonly GuardedRow[] = [];

/** The guardrails of the definitions in force, over what versions answer. Nothing is done for a model that has none. */
export function createGuards({ guardrailsOf, metrics }: GuardsOptions) {
  const known = new WeakMap<GuardedVersion, Compiled>();

  function compiled(guardrails: ServingPolicy['guardrails'], served: GuardedVersion): Compiled {
    const before = known.get(served);
    if (before?.guardrails === guardrails) return before;
    const made = { guardrails, answers: answerJudges(guardrails) };
    known.set(served, made);
    return made;
  }

  return {
    /** What is answered. 422 where a row is to be refused: protocols have one answer for all rows of a request. */
    async judge({ model, served, answers }: Computed): Promise<Guarded> {
      const guardrails = guardrailsOf(model);
      if (guardrails.length === 0) return { answers, guarded: NONE };
      const judges = compiled(guardrails, served).answers;
      const decisions = new Map<number, Decision>();
      answers.forEach((answer, row) => {
        const violations = violationsOf(judges, answer);
        if (violations.length > 0) decisions.set(row, decideRow(violations, answer, (fallBack) => found(fixedAnswer(served.signature, fallBack.answer))));
      });
      if (decisions.size === 0) return { answers, guarded: NONE };
      const rejected = [...decisions].flatMap(([row, { guarded }]) => guarded.triggers.filter(({ action }) => action === 'reject').map((trigger): RowTrigger => ({ row, ...trigger })));
      for (const { guardrail, action } of rejected) metrics.guarded(model, guardrail, action);
      if (rejected.length > 0) throw refusal(rejected, answers.length);
      for (const { guarded } of decisions.values()) {
        for (const { guardrail, action, skipped = [] } of guarded.triggers) {
          metrics.guarded(model, guardrail, action);
          for (const one of skipped) metrics.guarded(model, guardrail, `no-${one}`);
        }
      }
      return { answers: answers.map((answer, row) => decisions.get(row)?.answer ?? answer), guarded: [...decisions].map(([row, { guarded }]) => ({ row, ...guarded })) };
    },
  };
}
export type Guards = ReturnType<typeof createGuards>;

function violationsOf(judges: readonly JudgeAnswer[], answer: Answer): Violation[] {
  const violations: Violation[] = [];
  for (const judge of judges) {
    const violation = judge(answer);
    if (violation) violations.push(violation);
  }
  return violations;
}

const found = (answer: Answer | null): Instead | null => answer && { by: 'answer', answer };

/** What a caller is told who asked for rows that may not be answered. */
function refusal(rejected: readonly RowTrigger[], rows: number): ServingError {
  const [first] = rejected;
  const refused = new Set(rejected.map(({ row }) => row)).size;
  const others = refused > 1 ? ` ${refused} of the ${rows} rows are refused; ask for the others without them.` : rows > 1 ? ' Ask for the other rows without it.' : '';
  return new ServingError(422, `guardrail/${first?.guardrail ?? ''}: row ${first?.row ?? 0}: ${first ? describeTrigger(first) : ''}.${others}`, { guardrails: rejected.slice(0, NAMED_ROWS) });
}
