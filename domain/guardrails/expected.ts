import { columnsOf, isOfRequests, type Expectation } from '../../definition/expectations.js';
import type { Guardrail, GuardrailOf } from '../../definition/guardrails.js';
import { rowCheck, type NamedColumn } from '../expectations/row-checks.js';
import { inWords } from '../expectations/words.js';
import { shortened } from './inputs.js';
import type { JudgeInput } from './inputs.js';

/** `problems`: expectations of single rows that these rows cannot be held to. */
export interface ExpectationJudges { readonly judges: readonly JudgeInput[]; readonly problems: readonly string[] }

/** The guardrails that hold rows to a definition's expectations. `columns`: of the rows, in their order. */
export function expectationJudges(guardrails: readonly Guardrail[], expectations: readonly Expectation[], columns: readonly NamedColumn[]): ExpectationJudges {
  const problems: string[] = [];
  const judges = guardrails.flatMap((guardrail) => (guardrail.kind === 'expectation' ? [judgeOf(guardrail, expectations, columns, problems)] : []));
  return { judges, problems };
}

function judgeOf(guardrail: GuardrailOf<'expectation'>, expectations: readonly Expectation[], columns: readonly NamedColumn[], problems: string[]): JudgeInput {
  const names = columns.map(({ name }) => name);
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const checks = expectations.flatMap((expectation) => {
    if ((guardrail.severity ?? expectation.severity) !== expectation.severity || !isOfRequests(expectation, types)) return [];
    const expected = inWords(expectation);
    try {
      const misses = rowCheck(expectation, columns);
      const [column = '', another] = columnsOf(expectation);
      return [{ misses, told: { guardrail, ...(another === undefined ? { column } : {}), expected }, place: another === undefined ? names.indexOf(column) : -1 }];
    } catch (error) {
      problems.push(`that ${expected} is not looked at: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  return (row) => {
    for (const { misses, told, place } of checks) {
      if (!misses(row)) continue;
      const cell = row[place] ?? null;
      return cell === null ? told : { ...told, value: typeof cell === 'number' ? cell : shortened(String(cell)) };
    }
    return null;
  };
}
