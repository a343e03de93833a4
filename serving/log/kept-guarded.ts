import type { GuardedRow, GuardrailTrigger, OwnAnswer } from '../../contract/guarded.js';
import type { Answer } from '../../domain/outputs.js';
import type { LogPolicy } from '../../stores/models.js';
import { keptOutputs } from './kept-outputs.js';

/** What the policy lets the log keep of what guardrails found: of the version's own answers as much as of those that are given. */
export function keptGuarded(policy: LogPolicy, guarded: readonly GuardedRow[], requestId: string): GuardedRow[] {
  return guarded.map(({ row, triggers, instead }) => {
    const own = instead?.own && keptOwn(policy, instead.own, requestId);
    return { row, triggers: triggers.map((trigger) => keptTrigger(policy, trigger)), ...(instead ? { instead: { by: instead.by, ...(instead.version === undefined ? {} : { version: instead.version }), ...(own ? { own } : {}) } } : {}) };
  });
}

/** A trigger without its value, where that tells what the log may not hold. */
export function keptTrigger<T extends GuardrailTrigger>(policy: LogPolicy, trigger: T): T {
  if (!tells(policy, trigger)) return trigger;
  const { value: _value, ...rest } = trigger;
  return rest as T;
}

function tells({ inputs, outputs: { redact } }: LogPolicy, { kind, column = '' }: GuardrailTrigger): boolean {
  switch (kind) {
    case 'input-range': case 'input-category': case 'expectation': return inputs.share < 1 || inputs.redact.includes(column);
    case 'input-missing': return false;
    case 'outlier': return inputs.share < 1 || inputs.redact.length > 0;
    case 'confidence': return redact.includes('class') || redact.includes('probabilities');
    case 'output': return redact.includes('value');
  }
}

function keptOwn(policy: LogPolicy, own: OwnAnswer, requestId: string): OwnAnswer | null {
  const kept = keptOutputs(policy, [answerOf(own)], requestId);
  if ('values' in kept) return { value: figure(kept.values[0]) };
  if (!('classes' in kept)) return null;
  const [name = ''] = kept.classes;
  if ('probabilities' in kept) return { class: name, probabilities: (kept.probabilities[0] ?? []).map(figure) };
  return { class: name, ...(kept.scores ? { probability: figure(kept.scores[0]) } : {}) };
}

const answerOf = (own: OwnAnswer): Answer => ('value' in own ? { value: own.value ?? NaN } : { class: own.class, probabilities: 'probabilities' in own ? own.probabilities.map((one) => one ?? NaN) : [] });

const figure = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null);
