import { z } from 'zod';
import { Commit, Instant, Sha256 } from './ref.js';
import { RunError } from './run.js';

export const ParameterValue = z.union([z.number(), z.string().max(200), z.boolean()]);
export type ParameterValue = z.infer<typeof ParameterValue>;

/**
 * Where in the definition a parameter stands: `training.optimizer.learningRate`, `training.hyperparameters.width`,
 * `network.layers.0.config.units`. Not `network.module`: another module is other code, and a commit of its own.
 */
const ParameterPath = z.string().max(200).regex(/^(training|network\.layers)(\.[A-Za-z0-9][A-Za-z0-9_]*)+$/, 'a field below training or network.layers, for example training.optimizer.learningRate');

/** Values to try: named ones, or drawn from a range (`log`: evenly over its logarithm; `whole`: whole numbers). */
export const Varied = z.union([
  z.strictObject({ path: ParameterPath, values: z.array(ParameterValue).min(1).max(50) }),
  z.strictObject({ path: ParameterPath, from: z.number(), to: z.number(), log: z.boolean().default(false), whole: z.boolean().default(false) })
    .refine(({ from, to, log }) => from < to && (!log || from > 0), 'a range from a smaller to a larger number, above 0 where it is logarithmic')
    .refine(({ from, to, whole }) => !whole || (Number.isInteger(from) && Number.isInteger(to)), 'a range of whole numbers begins and ends with one'),
]);
export type Varied = z.infer<typeof Varied>;

/** More combinations than this are drawn from instead of listed. */
const MOST_COMBINATIONS = 1_000;
/** More training workers than this are not to be expected. */
const MOST_AT_ONCE = 32;
/** A trial is up to twelve events in its workflow's history, which Temporal warns of at 10,240. */
const MOST_TRIALS = 500;

export const ExperimentPlan = z.strictObject({
  vary: z.array(Varied).max(10).default([]).refine((varied) => new Set(varied.map(({ path }) => path)).size === varied.length, 'each parameter once'),
  draw: z.int().min(1).max(500).nullable().default(null).describe('so many combinations drawn at random (Bergstra & Bengio, 2012); null: every combination of the values'),
  folds: z.int().min(2).max(20).nullable().default(null).describe('k-fold cross-validation over all rows but the test rows; null: judged on the validation rows or, where there are none, on a fifth of the training rows that is held out'),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1).describe('of the folds and of what is drawn; the training has its own, in the definition'),
  parallel: z.int().min(1).max(MOST_AT_ONCE).default(1).describe('so many trainings are asked for at once; a training worker takes one at a time, so no more run than there are of those'),
  metric: z.string().min(1).max(100).nullable().default(null).describe('which figure says that one combination is better than another, of a slice as night/accuracy; null: the first of evaluation.metrics, else accuracy, of a regression mae'),
  budget: z.strictObject({
    trials: z.int().min(1).max(MOST_TRIALS).default(100), minutes: z.number().positive().max(10_080).default(240),
  }).prefault({}).describe('what is reached first ends the experiment: what is done counts, no further training begins'),
}).refine(({ vary, draw }) => draw !== null || vary.every((one) => 'values' in one), { path: ['draw'], message: 'how many combinations to draw, since a range holds no end of them' })
  .refine(({ vary, draw }) => draw === null || vary.length > 0, { path: ['draw'], message: 'something to vary, where combinations are drawn' })
  .refine(({ vary, draw }) => draw !== null || vary.reduce((count, one) => count * ('values' in one ? one.values.length : 1), 1) <= MOST_COMBINATIONS, { path: ['vary'], message: `at most ${MOST_COMBINATIONS} combinations; of more, draw some` });
export type ExperimentPlan = z.infer<typeof ExperimentPlan>;

/** Where a training is: what a moving line shows. */
export const TrialProgress = z.object({ epoch: z.int(), epochs: z.int(), loss: z.number() });
export type TrialProgress = z.infer<typeof TrialProgress>;

export const TrialStatus = z.enum(['running', 'done', 'failed']);
/** One training with one combination of parameters, judged on the rows of one fold. `figures` are those of an evaluation on `rows` rows, by name. */
export const Trial = z.strictObject({
  trial: z.int().min(1), combination: z.int().min(1), parameters: z.record(z.string(), ParameterValue), fold: z.int().min(0).nullable(),
  status: TrialStatus, progress: TrialProgress.nullable(), figures: z.record(z.string(), z.number().nullable()), rows: z.int().nullable(), error: RunError.nullable(),
  startedAt: Instant, endedAt: Instant.nullable(),
});
export type Trial = z.infer<typeof Trial>;

export const ExperimentStatus = z.enum(['running', 'done', 'failed', 'cancelled']);
export type ExperimentStatus = z.infer<typeof ExperimentStatus>;
/** Trainings that register nothing. `metric` and `snapshot` are null until the commit was read; `stopped`: why trials of the plan were left out. */
export const Experiment = z.strictObject({
  id: z.string(), model: z.string(), commit: Commit, branch: z.string(), by: z.string(), plan: ExperimentPlan, metric: z.string().nullable(), snapshot: Sha256.nullable(), status: ExperimentStatus,
  stopped: z.string().nullable(), error: RunError.nullable(), startedAt: Instant, endedAt: Instant.nullable(),
});
export type Experiment = z.infer<typeof Experiment>;

/**
 * What the trials of one combination reached. `deviation`: standard deviation of the figure over folds (n - 1); null of a single one.
 * `complete`: every trial of the plan was done, so that its mean may be held against others.
 */
export const Standing = z.strictObject({
  combination: z.int(), parameters: z.record(z.string(), ParameterValue), done: z.int(), failed: z.int(), complete: z.boolean(), mean: z.number().nullable(), deviation: z.number().nullable(), seconds: z.number(),
});
export type Standing = z.infer<typeof Standing>;

/** An experiment with its trials and its combinations, best first. `planned`: trials without the budget; `best`: the combination to take, null where none is complete. */
export const ExperimentView = z.strictObject({
  v: z.literal(1), experiment: Experiment, planned: z.int(), trials: z.array(Trial), standings: z.array(Standing), best: z.int().nullable(),
});
export type ExperimentView = z.infer<typeof ExperimentView>;
