import { ExperimentPlan } from '../../contract/experiment.js';
import type { ParameterValue } from '../../contract/experiment.js';
import type { z } from 'zod';
import { UsageError } from '../errors.js';

export interface PlanOptions { readonly vary?: readonly string[]; readonly draw?: string; readonly folds?: string; readonly metric?: string; readonly seed: string; readonly trials: string; readonly minutes: string; readonly parallel: string }

/** The plan that options ask for. `--vary PATH=0.1,0.01` names values, `--vary PATH=0.0001..0.1` a range, with `:log` or `:whole` behind it. */
export function planOf({ vary = [], draw, folds, metric, seed, trials, minutes, parallel }: PlanOptions): ExperimentPlan {
  const plan: z.input<typeof ExperimentPlan> = {
    vary: vary.map(varied), draw: draw === undefined ? null : number('--draw', draw), folds: folds === undefined ? null : number('--folds', folds), metric: metric ?? null, seed: number('--seed', seed), parallel: number('--parallel', parallel),
    budget: { trials: number('--trials', trials), minutes: number('--minutes', minutes) },
  };
  const parsed = ExperimentPlan.safeParse(plan);
  if (!parsed.success) throw new UsageError(parsed.error.issues.map((issue) => `${optionOf(issue.path)}${issue.message}`).join('; '));
  return parsed.data;
}

function varied(text: string): { path: string; values: ParameterValue[] } | { path: string; from: number; to: number; log: boolean; whole: boolean } {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--vary: PATH=VALUES, for example training.batchSize=16,32 or training.optimizer.learningRate=0.0001..0.1:log; found "${text}"`);
  const [path, values] = [text.slice(0, equals), text.slice(equals + 1)];
  const range = /^(-?[\d.e-]+?)\.\.(-?[\d.e-]+?)((?::(?:log|whole))*)$/.exec(values);
  if (!range && values.includes('..')) throw new UsageError(`--vary ${path}: a range is FROM..TO of two numbers, with :log or :whole behind it, found "${values}"`);
  if (!range) return { path, values: values.split(',').map(value) };
  const [, from = '', to = '', how = ''] = range;
  return { path, from: number(`--vary ${path}`, from), to: number(`--vary ${path}`, to), log: how.includes(':log'), whole: how.includes(':whole') };
}

/** A number or true or false where it reads as one, else text. */
function value(text: string): ParameterValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function number(option: string, text: string): number {
  if (text.trim() === '' || !Number.isFinite(Number(text))) throw new UsageError(`${option}: a number, found "${text}"`);
  return Number(text);
}

const optionOf = ([first, second]: readonly PropertyKey[]) => `--${String(first === 'budget' ? second : first)}: `;
