import { typedColumns } from './columns.js';
import type { Column, TypedColumn } from './columns.js';
import { isOfRequests } from './expectations.js';
import type { Expectation } from './expectations.js';
import { COMPARISONS, OTHERWISE } from './fall-back.js';
import type { Condition, FallBack, Rules } from './fall-back.js';
import { featuresOf } from './features.js';
import type { Feature } from './features.js';
import { actionsOf } from './guardrails.js';
import type { Guardrail } from './guardrails.js';
import { replacingActions } from './personal.js';
import type { PersonalData } from './personal.js';
import type { Target } from './target.js';
import type { Contradiction } from './task-contradictions.js';

interface Described { readonly kind: 'table' | 'images'; readonly target: Target; readonly columns?: readonly Column[]; readonly features?: readonly Feature[] | undefined; readonly personalData?: PersonalData | undefined; readonly expectations?: readonly Expectation[] | undefined }
type Path = Contradiction['path'];

const FIGURES = ['brightness', 'contrast'].map((name): TypedColumn => ({ name, type: 'number', nullable: false }));

const listed = (names: readonly string[]) => (names.length === 0 ? 'no column: the model has none of this kind' : `one of ${names.slice(0, 20).join(', ')}`);

/** Guardrails of what the model does not take or give, and answers that are none of its own. `redacted`: columns that the log may not hold, as it holds answers. */
export function guardrailContradictions(described: Described, guardrails: readonly Guardrail[], redacted: readonly string[]): Contradiction[] {
  const { kind, target, columns = [], features } = described;
  const isNumber = target.task === 'regression';
  const typed = typedColumns(columns);
  const inputs = kind === 'images' ? FIGURES : typed;
  const numbers = inputs.filter(({ type }) => type === 'number').map(({ name }) => name);
  /** What a category is refused of for the features' own reasons never comes to a guardrail. */
  const categories = kind === 'images' ? [] : featuresOf(typed, features).flatMap((feature) => (feature.kind === 'category' && feature.unknown !== 'refuse' ? [feature.column] : []));
  const nullable = kind === 'images' ? [] : typed.filter((column) => column.nullable).map(({ name }) => name);
  const context: Answering = { target, inputs, answering: typed.filter(({ name, type }) => type === (isNumber ? 'number' : 'text') && !redacted.includes(name)).map(({ name }) => name), redacted, replaced: Object.keys(replacingActions(described)) };

  return guardrails.flatMap((guardrail, index) => {
    const path = ['serving', 'guardrails', index] as const;
    const found: Contradiction[] = [];
    const about = (known: readonly string[], whatElse: string) => {
      if (known.length === 0) found.push({ path: [...path, 'kind'], expected: `no ${guardrail.kind}: the model takes no ${whatElse}` });
      else if ('columns' in guardrail) guardrail.columns?.forEach((name, place) => { if (!known.includes(name)) found.push({ path: [...path, 'columns', place], expected: listed(known) }); });
    };
    switch (guardrail.kind) {
      case 'input-range': case 'outlier':
        about(numbers, 'numbers');
        break;
      case 'input-category':
        about(categories, 'categories that it does not refuse itself');
        break;
      case 'input-missing':
        about(nullable, 'columns that are nullable');
        break;
      case 'expectation': {
        const asked = (described.expectations ?? []).filter(({ severity }) => (guardrail.severity ?? severity) === severity);
        if (!asked.some((expectation) => isOfRequests(expectation, new Map(typed.map(({ name, type }) => [name, type]))))) found.push({ path: [...path, 'kind'], expected: `no expectation: ${kind === 'images' ? 'pictures have none' : `nothing in data.expectations${guardrail.severity ? ` of severity ${guardrail.severity}` : ''} says of each row, by its inputs alone, what it has to be`}` });
        break;
      }
      case 'confidence':
        if (isNumber) found.push({ path: [...path, 'kind'], expected: 'no confidence: a regression tells none' });
        break;
      case 'output':
        if (!isNumber) found.push({ path: [...path, 'kind'], expected: 'no limits of the output: classes have none; `confidence` is about their probabilities' });
        if (guardrail.minimum !== undefined && guardrail.maximum !== undefined && guardrail.minimum > guardrail.maximum) found.push({ path: [...path, 'maximum'], expected: 'at least `minimum`' });
    }
    actionsOf(guardrail).forEach((action, place) => {
      if (typeof action !== 'string') found.push(...fallBackContradictions(action.fallBack, [...path, 'on', ...(Array.isArray(guardrail.on) ? [place] : []), 'fallBack'], context));
    });
    return found;
  });
}

interface Answering {
  readonly target: Target; readonly inputs: readonly TypedColumn[]; readonly redacted: readonly string[];
  /** Columns whose values may be answers. */
  readonly answering: readonly string[];
  /** Columns whose values are pseudonyms. */
  readonly replaced: readonly string[];
}

function fallBackContradictions(fallBack: FallBack, at: Path, context: Answering): Contradiction[] {
  const { target, answering } = context;
  if (fallBack === 'previous-version') return [];
  if ('rules' in fallBack) return rulesContradictions(fallBack, at, context);
  if ('answer' in fallBack) return answerContradictions(target, fallBack.answer, [...at, 'answer']);
  return answering.includes(fallBack.column) ? [] : [{ path: [...at, 'column'], expected: `a column of ${target.task === 'regression' ? 'numbers' : 'texts'} that the prediction log does not redact, since it holds what was answered` }];
}

function rulesContradictions({ rules, otherwise }: Rules, at: Path, context: Answering): Contradiction[] {
  const names = rules.map(({ name }) => name);
  return [
    ...rules.flatMap(({ name, when, answer }, index): Contradiction[] => {
      const path = [...at, 'rules', index];
      return [
        ...(name === OTHERWISE || names.indexOf(name) < index ? [{ path: [...path, 'name'], expected: `another name than ${name}, which is taken` }] : []),
        ...when.flatMap((condition, place) => conditionContradictions(condition, [...path, 'when', place], context)),
        ...answerContradictions(context.target, answer, [...path, 'answer']),
      ];
    }),
    ...(otherwise === undefined ? [] : answerContradictions(context.target, otherwise, [...at, OTHERWISE])),
  ];
}

/** A condition on what is not there, cannot be compared so, or would be told by the name of the rule in the log. */
function conditionContradictions(condition: Condition, path: Path, { inputs, redacted, replaced }: Answering): Contradiction[] {
  const column = inputs.find(({ name }) => name === condition.column);
  if (!column) return [{ path: [...path, 'column'], expected: listed(inputs.map(({ name }) => name)) }];
  const { name, type, nullable } = column;
  if (redacted.includes(name)) return [{ path: [...path, 'column'], expected: 'a column that the prediction log does not redact, since it holds which rule answered' }];
  const comparison = COMPARISONS.find((one) => condition[one] !== undefined) ?? 'missing';
  const at = [...path, comparison];
  switch (comparison) {
    case 'missing': return nullable ? [] : [{ path: at, expected: `another comparison: ${name} is not nullable` }];
    case 'is': case 'in': {
      if (replaced.includes(name)) return [{ path: [...path, 'column'], expected: `a column whose values are as they were sent: those of ${name} are replaced (data.personalData)` }];
      if (type === 'time') return [{ path: at, expected: `\`missing\`, which alone can be asked of a time; ${name} is one` }];
      const asked = type === 'text' ? 'string' : type;
      const values = condition.in ?? [condition.is];
      const wrong = values.findIndex((value) => typeof value !== asked);
      return wrong < 0 ? [] : [{ path: comparison === 'in' ? [...at, wrong] : at, expected: `${{ number: 'a number', text: 'a text', boolean: 'true or false' }[type]}, as ${name} holds` }];
    }
    default:
      if (type !== 'number') return [{ path: [...path, 'column'], expected: `a column of numbers; ${name} holds ${type}` }];
      return condition.between && condition.between.min > condition.between.max ? [{ path: [...at, 'max'], expected: 'at least `min`' }] : [];
  }
}

function answerContradictions(target: Target, answer: string | number, path: Path): Contradiction[] {
  if (target.task === 'regression') return typeof answer === 'number' ? [] : [{ path, expected: 'a number' }];
  return typeof answer === 'string' && target.classes.includes(answer) ? [] : [{ path, expected: `a class of this definition (${target.classes.join(', ')})` }];
}
