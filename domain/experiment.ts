import type { ExperimentPlan, ParameterValue, Standing, Trial, Varied } from '../contract/experiment.js';
import type { AnyMetric } from '../definition/evaluation.js';
import type { ModelDefinition } from '../definition/model.js';
import { sha256Hex } from './digest.js';
import { isErrorMetric, METRIC_KINDS } from './metrics.js';

export type Parameters = Readonly<Record<string, ParameterValue>>;
export interface PlannedTrial { readonly trial: number; readonly combination: number; readonly parameters: Parameters; readonly fold: number | null }

/**
 * Trials in the order in which they are begun: all folds of a combination, then the next; so a budget that is used up leaves whole
 * combinations. One combination, the definition as it is, where nothing varies. Open experiments rely on the order never changing.
 */
export function trialsOf(plan: ExperimentPlan): PlannedTrial[] {
  const folds = plan.folds === null ? [null] : Array.from({ length: plan.folds }, (_none, fold) => fold);
  const trials = combinationsOf(plan).flatMap((parameters, index) => folds.map((fold) => ({ combination: index + 1, parameters, fold })));
  return trials.slice(0, plan.budget.trials).map((trial, index) => ({ trial: index + 1, ...trial }));
}

/** How many trials the plan has without its budget. */
export function trialsPlanned(plan: ExperimentPlan): number {
  return combinationsOf(plan).length * (plan.folds ?? 1);
}

function combinationsOf({ vary, draw, seed }: ExperimentPlan): Parameters[] {
  if (draw === null) return grid(vary);
  const drawn = Array.from({ length: draw }, (_none, index) => Object.fromEntries(vary.map((one) => [one.path, drawnValue(one, seed, index)])));
  return [...new Map(drawn.map((parameters) => [JSON.stringify(parameters), parameters])).values()]; // of few values, the same may be drawn twice
}

function grid(vary: readonly Varied[]): Parameters[] {
  let combinations: Parameters[] = [{}];
  for (const one of vary) {
    if (!('values' in one)) throw new RangeError(`${one.path} is a range, of which combinations are drawn`);
    combinations = combinations.flatMap((parameters) => one.values.map((value) => ({ ...parameters, [one.path]: value })));
  }
  return combinations;
}

/** The value of a parameter in the `index`-th combination: it does not depend on how many there are, nor on the other parameters. */
function drawnValue(varied: Varied, seed: number, index: number): ParameterValue {
  const share = parseInt(sha256Hex(`${seed}\n${index}\n${varied.path}`).slice(0, 12), 16) / 2 ** 48;
  if ('values' in varied) return varied.values[Math.floor(share * varied.values.length)] ?? varied.values[0] ?? 0;
  const { from, to, log, whole } = varied;
  if (whole) return Math.min(to, Math.floor(log ? Math.exp(Math.log(from) + share * (Math.log(to + 1) - Math.log(from))) : from + share * (to + 1 - from)));
  return log ? Math.exp(Math.log(from) + share * (Math.log(to) - Math.log(from))) : from + share * (to - from);
}

/** The figures that can decide about a definition's experiments, over all rows and over each slice: those that people judge by, then the others of its task. The first one decides unless told. */
export function metricsOf({ data: { target }, evaluation: { metrics = [], slices } }: Pick<ModelDefinition, 'data' | 'evaluation'>): string[] {
  const names = [...new Set([...metrics, ...Object.entries(METRIC_KINDS).flatMap(([name, { task }]) => (task === (target.task ?? 'classification') ? [name] : []))])];
  return [...names, ...slices.flatMap((slice) => names.map((name) => `${slice.name}/${name}`))];
}

/** Whether less of a figure is better; its name may begin with that of a slice. */
function lessIsBetter(metric: string): boolean {
  const figure = metric.slice(metric.lastIndexOf('/') + 1);
  return Object.hasOwn(METRIC_KINDS, figure) && isErrorMetric(figure as AnyMetric);
}

/**
 * What each combination reached: those whose trials are all done first, best mean first, then those that miss some (a mean over other
 * folds is another measure), then those without any. The deviation over folds is a guide to chance and no test: folds share training
 * rows, and no unbiased estimate of the mean's variance exists (Bengio & Grandvalet, 2004).
 */
export function standingsOf(trials: readonly Trial[], metric: string, { folds }: Pick<ExperimentPlan, 'folds'>): Standing[] {
  const standings = [...new Set(trials.map(({ combination }) => combination))].map((combination): Standing => {
    const own = trials.filter((trial) => trial.combination === combination);
    const values = own.flatMap(({ status, figures }) => (status === 'done' ? figures[metric] ?? [] : []));
    const mean = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      combination, parameters: own[0]?.parameters ?? {}, complete: values.length === (folds ?? 1),
      done: own.filter(({ status }) => status === 'done').length, failed: own.filter(({ status }) => status === 'failed').length,
      mean, deviation: mean === null || values.length < 2 ? null : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)),
      seconds: own.reduce((sum, { startedAt, endedAt }) => sum + (endedAt === null ? 0 : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000), 0),
    };
  });
  const sign = lessIsBetter(metric) ? 1 : -1;
  const rank = ({ mean, complete }: Standing) => (mean === null ? 2 : complete ? 0 : 1);
  return standings.toSorted((a, b) => rank(a) - rank(b) || sign * ((a.mean ?? 0) - (b.mean ?? 0)) || a.combination - b.combination);
}

/** The combination to take: the first of the standings, where it is complete. */
export function bestOf([first]: readonly Standing[]): number | null {
  return first?.complete === true ? first.combination : null;
}
