import type { GuardedRow, RowTrigger } from '../../contract/guarded.js';
import type { Signature } from '../../contract/package.js';
import type { TrainingProfile } from '../../contract/profile.js';
import type { CellRow } from '../../domain/cells.js';
import { answerJudges, type JudgeAnswer } from '../../domain/guardrails/answers.js';
import { asksPrevious, decideRow, isRefusedAtOnce, type Decision } from '../../domain/guardrails/decide.js';
import { answerInstead, ruleFinders, type RuleFinders } from '../../domain/guardrails/fall-backs.js';
import { expectationJudges } from '../../domain/guardrails/expected.js';
import { inputJudges, type JudgeInput } from '../../domain/guardrails/inputs.js';
import { unjudgedInputs } from '../../domain/guardrails/unjudged.js';
import { describeTrigger, type Violation } from '../../domain/guardrails/violation.js';
import type { Answer } from '../../domain/outputs.js';
import { PICTURE_FIGURES, pictureFigures } from '../../domain/picture-figures.js';
import type { ServingPolicy } from '../../stores/models.js';
import { ServingError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { OnProblem } from '../problem.js';
import type { Rows } from '../protocol/rows.js';
import type { ServedArm } from '../routing/model-host.js';
import { previousAnswers } from './previous-version.js';

type Policy = Pick<ServingPolicy, 'guardrails' | 'expectations'>;

export interface GuardsOptions {
  /** The same object until it is another one. */
  readonly policyOf: (model: string) => Policy;
  readonly metrics: Pick<Metrics, 'guarded'>;
  readonly onProblem: OnProblem;
}

/** A version, as far as guardrails ask for it. `profile` null: its package holds none, so its inputs are not judged. */
export interface GuardedVersion { readonly signature: Signature; readonly profile: TrainingProfile | null }

/** What guardrails found of rows, by their places. */
export type Found = ReadonlyMap<number, readonly Violation[]>;

/** A request whose rows are computed. `previous`: the version before, where it is loaded; `found`: of its inputs. */
export interface Computed {
  readonly model: string; readonly served: GuardedVersion; readonly rows: Rows; readonly found: Found; readonly answers: readonly Answer[];
  readonly previous: ServedArm | null; readonly deadlineMs: number | undefined;
}

/** `answers`: what is given, row by row; `guarded`: the rows that guardrails found something of. */
export interface Guarded { readonly answers: readonly Answer[]; readonly guarded: readonly GuardedRow[] }

interface Compiled { readonly policy: Policy; readonly names: readonly string[]; readonly inputs: readonly JudgeInput[]; readonly answers: readonly JudgeAnswer[]; readonly rules: RuleFinders }

/** Rows that a refusal names. */
const NAMED_ROWS = 20;
const NOTHING: Found = new Map();
const NONE: readonly GuardedRow[] = [];

/** The guardrails of the definitions in force, over what versions are asked and answer. Nothing is done for a model that has none. */
export function createGuards({ policyOf, metrics, onProblem }: GuardsOptions) {
  const known = new WeakMap<GuardedVersion, Compiled>();

  function compiled(model: string, policy: Policy, served: GuardedVersion): Compiled {
    const before = known.get(served);
    if (before?.policy === policy) return before;
    const { guardrails, expectations } = policy;
    const { signature, profile } = served;
    const names = profile?.kind === 'images' ? PICTURE_FIGURES : signature.inputs.map(({ name }) => name);
    const expected = expectationJudges(guardrails, expectations, signature.inputs.map(({ name, type = 'number' }) => ({ name, type })));
    for (const problem of [...unjudgedInputs(model, guardrails, profile), ...expected.problems.map((problem) => `of ${model}, ${problem}`)]) onProblem(problem, undefined);
    const made = { policy, names, inputs: [...expected.judges, ...(profile ? inputJudges(guardrails, names, profile) : [])], answers: answerJudges(guardrails), rules: ruleFinders(guardrails, names) };
    known.set(served, made);
    return made;
  }

  function refuseIf(model: string, rejected: readonly RowTrigger[], rows: number): void {
    for (const { guardrail, action } of rejected) metrics.guarded(model, guardrail, action);
    if (rejected.length > 0) throw refusal(rejected, rows);
  }

  return {
    /** What is found of rows before they are computed. 422 where one is to be refused whatever the model would say. */
    inputs(model: string, served: GuardedVersion, rows: Rows): Found {
      const policy = policyOf(model);
      if (policy.guardrails.length === 0) return NOTHING;
      const { inputs } = compiled(model, policy, served);
      if (inputs.length === 0) return NOTHING;
      const found = new Map<number, Violation[]>();
      for (let row = 0; row < rows.count; row += 1) {
        const violations = violationsOf(inputs, figuresOf(rows, row));
        if (violations.length > 0) found.set(row, violations);
      }
      refuseIf(model, [...found].flatMap(([row, violations]) => violations.filter(isRefusedAtOnce).map(({ guardrail, ...found }): RowTrigger => ({ row, guardrail: guardrail.name, kind: guardrail.kind, ...found, action: 'reject' }))), rows.count);
      return found;
    },

    /** What is answered. 422 where a row is to be refused: protocols have one answer for all rows of a request. */
    async judge({ model, served, rows, found, answers, previous, deadlineMs }: Computed): Promise<Guarded> {
      const policy = policyOf(model);
      if (policy.guardrails.length === 0) return { answers, guarded: NONE };
      const { answers: judges, names, rules } = compiled(model, policy, served);
      const all = new Map(found);
      answers.forEach((answer, row) => {
        const violations = violationsOf(judges, answer);
        if (violations.length > 0) all.set(row, [...(found.get(row) ?? []), ...violations]);
      });
      if (all.size === 0) return { answers, guarded: NONE };

      const ofPrevious = await previousAnswers(previous, rows, [...all].flatMap(([row, violations]) => (asksPrevious(violations) ? [row] : [])), deadlineMs, onProblem);
      const decisions = new Map<number, Decision>();
      for (const [row, violations] of all) {
        const own = answers[row];
        if (!own) continue;
        const before = ofPrevious.get(row);
        decisions.set(row, decideRow(violations, own, (fallBack) => answerInstead(fallBack, {
          signature: served.signature, names, rules, judges, row: figuresOf(rows, row), isTable: rows.datatype === 'CELLS', previous: before && previous ? { version: previous.arm.version, answer: before } : null,
        })));
      }
      refuseIf(model, [...decisions].flatMap(([row, { guarded }]) => guarded.triggers.filter(({ action }) => action === 'reject').map((trigger): RowTrigger => ({ row, ...trigger }))), answers.length);
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

function violationsOf<T>(judges: readonly ((of: T) => Violation | null)[], of: T): Violation[] {
  const violations: Violation[] = [];
  for (const judge of judges) {
    const violation = judge(of);
    if (violation) violations.push(violation);
  }
  return violations;
}

/** A row of a table, or a picture's brightness and contrast. */
function figuresOf(rows: Rows, row: number): CellRow {
  if (rows.datatype === 'CELLS') return rows.input[row] ?? [];
  const bytes = rows.input.length / rows.count;
  return pictureFigures(rows.input.subarray(row * bytes, (row + 1) * bytes));
}

/** What a caller is told who asked for rows that may not be answered. */
function refusal(rejected: readonly RowTrigger[], rows: number): ServingError {
  const [first] = rejected;
  const refused = new Set(rejected.map(({ row }) => row)).size;
  const others = refused > 1 ? ` ${refused} of the ${rows} rows are refused; ask for the others without them.` : rows > 1 ? ' Ask for the other rows without it.' : '';
  return new ServingError(422, `guardrail/${first?.guardrail ?? ''}: row ${first?.row ?? 0}: ${first ? describeTrigger(first) : ''}.${others}`, { guardrails: rejected.slice(0, NAMED_ROWS) });
}
