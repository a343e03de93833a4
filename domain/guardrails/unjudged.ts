import type { TrainingProfile } from '../../contract/profile.js';
import type { Guardrail } from '../../definition/guardrails.js';

const OF_INPUTS: ReadonlySet<Guardrail['kind']> = new Set(['input-range', 'input-category', 'input-missing', 'outlier']);

/** What guardrails of inputs cannot look at, since a version's package does not say what its training rows were like. */
export function unjudgedInputs(model: string, guardrails: readonly Guardrail[], profile: TrainingProfile | null): string[] {
  const has = (kind: Guardrail['kind']) => guardrails.some((guardrail) => guardrail.kind === kind);
  if (!profile) return guardrails.some(({ kind }) => OF_INPUTS.has(kind)) ? [`inputs of ${model} are not held against those of its training: the version's package holds no profile`] : [];
  const problems: string[] = [];
  if (has('outlier') && !profile.outliers) problems.push(`rows of ${model} are not looked through for outliers: the version's package does not say what is usual, since it is older or was trained on too few rows`);
  if (!profile.columns && (has('input-category') || has('input-missing'))) problems.push(`categories and missing values of ${model} are not held against those of its training: the version's package is older and does not say which there were`);
  return problems;
}
