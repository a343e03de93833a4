import type { EnvironmentPolicy } from '../contract/policy.js';
import type { Gate } from '../definition/evaluation.js';
import type { ModelDefinition } from '../definition/model.js';
import type { Target } from '../definition/target.js';
import { METRIC_KINDS } from './metrics.js';
import { formatDuration, parseDuration } from './times.js';

/** What holds for a candidate: the environment's policy with what the definition tightened. */
export interface EffectivePolicy {
  /** The policy's gates first, each as the stricter of the two states it; then the definition's own. */
  readonly gates: Gate[];
  readonly deadlineMs: number;
  readonly reminderAfterMs: number;
  /** Approve without a person when every gate passed. */
  readonly automatic: boolean;
  readonly keepWarmMs: number;
  /** Principals who may approve; empty: every principal with the role `approver`. The definition has no say in it. */
  readonly approvers: string[];
}

export type Tightened = { readonly ok: true; readonly effective: EffectivePolicy } | { readonly ok: false; readonly problems: string[] };

/** The parts of a definition that touch policy. */
export type PolicyFields = Pick<ModelDefinition, 'evaluation' | 'approval' | 'release'> & { readonly data: { readonly target: Target } };

/**
 * Reads a definition against its environment's policy. A definition may ask for more than the policy, never for less:
 * every place where it asks for less is a problem, named with its field. Freezes are honoured at release.
 */
export function tighten(policy: EnvironmentPolicy, definition: PolicyFields): Tightened {
  const { approval, evaluation, release } = definition;
  const deadlineMs = parseDuration(approval.deadline);
  const problems: string[] = [];
  if (approval.automatic && !policy.automaticApproval) problems.push('approval.automatic: the environment does not allow approval without a person');
  if (deadlineMs > policy.maximumDeadlineMs) problems.push(`approval.deadline: ${approval.deadline} is longer than the environment's ${formatDuration(policy.maximumDeadlineMs)}`);

  const own = new Map(evaluation.gates.map((gate) => [gate.name, gate]));
  const task = definition.data.target.task ?? 'classification';
  // A regression has no accuracy: floors of the other task say nothing of it.
  const concerning = policy.gates.filter(({ metric }) => METRIC_KINDS[metric].task === task);
  for (const floor of concerning) {
    const stated = own.get(floor.name);
    const weaker = unmet(floor, definition) ?? (stated ? weakens(floor, stated) : null);
    if (weaker) problems.push(`evaluation.gates: the environment's gate "${floor.name}" ${weaker}`);
  }
  if (problems.length > 0) return { ok: false, problems };

  const floors = new Set(concerning.map(({ name }) => name));
  return {
    ok: true,
    effective: {
      gates: [...concerning.map((floor) => own.get(floor.name) ?? floor), ...evaluation.gates.filter(({ name }) => !floors.has(name))],
      deadlineMs, reminderAfterMs: parseDuration(approval.reminderAfter),
      automatic: approval.automatic && policy.automaticApproval, keepWarmMs: parseDuration(release.keepWarm), approvers: [...policy.approvers],
    },
  };
}

/** In what the stated gate asks for less than the floor of the same name; null when it does not. */
function weakens(floor: Gate, stated: Gate): string | null {
  if (floor.kind !== stated.kind) return `is of kind ${floor.kind}, not ${stated.kind}`;
  // More rows turn a failure into "inconclusive", fewer judge by less evidence: either way is another rule.
  if (floor.minimumRows !== stated.minimumRows) return `judges from ${floor.minimumRows} rows on, not ${stated.minimumRows}`;
  if (floor.metric !== stated.metric) return `is about ${floor.metric}, not ${stated.metric}`;
  if (floor.frozen !== stated.frozen) return `is about ${rowsText(floor)}, not ${rowsText(stated)}`;
  if (floor.kind === 'not-worse-than-live') return stated.kind === floor.kind && stated.margin > floor.margin ? `allows a margin of ${floor.margin}, less than ${stated.margin}` : null;
  if (floor.kind === 'at-most') return stated.kind !== floor.kind ? null : floor.slice !== stated.slice ? `is about ${scope(floor)}, not ${scope(stated)}` : stated.threshold > floor.threshold ? `asks for at most ${floor.threshold}, less than ${stated.threshold}` : null;
  if (stated.kind !== 'at-least') return null;
  if (floor.class !== stated.class || floor.slice !== stated.slice) return `is about ${scope(floor)}, not ${scope(stated)}`;
  return stated.threshold < floor.threshold ? `asks for at least ${floor.threshold}, more than ${stated.threshold}` : null;
}

/** A floor that the definition could never meet, because it does not declare what the floor is about, would be no floor at all. */
function unmet(floor: Gate, { evaluation, data }: PolicyFields): string | null {
  const { target } = data;
  if (floor.frozen !== undefined && !evaluation.frozen?.includes(floor.frozen)) return `judges the frozen test set "${floor.frozen}", which evaluation.frozen does not name`;
  if (floor.kind === 'not-worse-than-live') return null;
  if (floor.slice !== undefined && !evaluation.slices.some(({ name }) => name === floor.slice)) return `judges the slice "${floor.slice}", which the definition does not declare`;
  if (floor.kind === 'at-least' && floor.class !== undefined && (target.task === 'regression' || !target.classes.includes(floor.class))) return `judges the class "${floor.class}", which the definition does not have`;
  return null;
}

function scope(gate: Extract<Gate, { kind: 'at-least' | 'at-most' }>): string {
  const name = gate.kind === 'at-least' ? gate.class : undefined;
  return `${name === undefined ? 'all classes' : `class ${name}`} on ${gate.slice ?? 'all rows'}`;
}

function rowsText({ frozen }: Gate): string {
  return frozen === undefined ? 'the test rows' : `the frozen test set ${frozen}`;
}
