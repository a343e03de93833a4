import type { Experiment, ExperimentView, Standing, Trial } from '../../contract/experiment.js';
import type { Context } from '../command.js';
import { clock, figure, moment, table } from '../table.js';
import { shortNames } from './names.js';

const DIGITS = 4;
/** More combinations than a screen holds are in the JSON. */
const SHOWN = 20;
const NOW = 200;

const valueText = (value: Trial['parameters'][string] | undefined) => (typeof value === 'number' ? String(Number(value.toPrecision(4))) : value === undefined ? '-' : String(value));

/** `learningRate=0.01 units=16`. */
export function parametersText({ plan }: Pick<Experiment, 'plan'>, parameters: Trial['parameters']): string {
  const names = shortNames(plan.vary.map(({ path }) => path));
  return plan.vary.map(({ path }, index) => `${names[index] ?? path}=${valueText(parameters[path])}`).join(' ') || 'as defined';
}

const which = (experiment: Experiment, { parameters, fold }: Trial) => `${parametersText(experiment, parameters)}${fold === null ? '' : `  fold ${fold + 1}`}`;

/** A training that has ended, and how long those that are left will take at this pace. */
export function trialLine({ paint }: Pick<Context, 'paint'>, trial: Trial, { experiment }: ExperimentView, { sinceMs, of }: { sinceMs: number; of: number }): string {
  const metric = experiment.metric ?? '';
  const outcome = trial.status === 'done' ? `${metric} ${figure(trial.figures[metric], DIGITS)}` : paint.red(trial.error?.message ?? 'failed');
  const left = (sinceMs / trial.trial) * (of - trial.trial);
  return `  ${trial.trial}/${of}  ${which(experiment, trial)}  ${outcome}${trial.trial < of ? paint.dim(`  ${clock(left)} left`) : ''}`;
}

/** What is going on now, in one line. */
export function movingLine({ experiment, trials }: ExperimentView, { of, columns }: { of: number; columns: number }): string {
  const underWay = trials.filter(({ status }) => status === 'running');
  const running = underWay.at(-1);
  if (!running) return experiment.snapshot === null ? '  reading the commit' : '  waiting for a training worker';
  const { progress } = running;
  return `  ${running.trial}/${of}  ${which(experiment, running)}  ${progress ? `epoch ${progress.epoch}/${progress.epochs}  loss ${figure(progress.loss, DIGITS)}` : 'begins'}${underWay.length > 1 ? `  (and ${underWay.length - 1} beside it)` : ''}`.slice(0, Math.max(20, columns - 1));
}

/** Combinations, best first; each kind of failure once; and what to write into the definition to take the best one. */
export function experimentText({ paint }: Pick<Context, 'paint'>, view: ExperimentView): string {
  const { experiment, planned, trials, standings, best } = view;
  const { plan, status, error, stopped, snapshot, metric } = experiment;
  const done = trials.filter((trial) => trial.status === 'done').length;
  const failed = trials.filter((trial) => trial.status === 'failed');
  const kinds = [...new Set(failed.map((trial) => trial.error?.code))].map((code) => failed.filter((trial) => trial.error?.code === code));
  const winner = standings.find(({ combination }) => combination === best);
  const colour = { running: paint.cyan, done: paint.green, failed: paint.red, cancelled: paint.yellow }[status];
  return [
    `${paint.bold(experiment.model)} at ${experiment.commit.slice(0, 12)}: ${colour(status)}, ${done} of ${planned} training${planned === 1 ? '' : 's'} done; nothing was registered`,
    ...(snapshot ? [`rows: snapshot ${snapshot.slice(0, 12)}, ${plan.folds === null ? 'judged on rows that were held out' : `${plan.folds} folds`}; its test rows were not used`] : []),
    ...(status === 'running' ? [`now: ${movingLine(view, { of: Math.min(planned, plan.budget.trials), columns: NOW }).trim()}`] : []),
    ...(error ? [paint.red(`${error.message} (${error.code})`), `next: ${error.next}`] : []), ...(stopped === null ? [] : [paint.yellow(stopped)]),
    ...(standings.length > 0 ? ['', standingsTable(experiment, standings), ...(standings.length > SHOWN ? [paint.dim(`${standings.length - SHOWN} more: --json shows them`)] : [])] : []),
    ...kinds.flatMap(([first, ...others]) => (first ? [paint.red(`${others.length + 1} failed, the first with ${which(experiment, first)}: ${first.error?.message ?? ''} (${first.error?.code ?? ''})`)] : [])),
    ...(winner && plan.vary.length > 0 ? ['', `best: ${parametersText(experiment, winner.parameters)}, ${metric ?? ''} ${figure(winner.mean, DIGITS)}`, 'to take it, write into the definition:', ...plan.vary.map(({ path }) => `  ${path}: ${JSON.stringify(winner.parameters[path])}`)] : []),
  ].join('\n');
}

function standingsTable({ plan, metric }: Experiment, standings: readonly Standing[]): string {
  const headings = [...shortNames(plan.vary.map(({ path }) => path)).map((name) => name.toUpperCase()), `${plan.folds === null ? '' : 'MEAN '}${(metric ?? '').toUpperCase()}`, ...(plan.folds === null ? [] : ['STANDARD DEVIATION']), 'TRAININGS', 'TIME'];
  return table(headings, standings.slice(0, SHOWN).map((one) => [
    ...plan.vary.map(({ path }) => valueText(one.parameters[path])),
    figure(one.mean, DIGITS), ...(plan.folds === null ? [] : [figure(one.deviation, DIGITS)]),
    `${one.done} of ${plan.folds ?? 1}${one.failed > 0 ? `, ${one.failed} failed` : ''}`, clock(one.seconds * 1000),
  ]));
}

export function listText(experiments: readonly Experiment[]): string {
  return table(['STARTED', 'EXPERIMENT', 'STATUS', 'BY', 'COMMIT', 'FOLDS', 'VARIES'], experiments.map((one) => [moment(one.startedAt), one.id, one.status, one.by, one.commit.slice(0, 12), one.plan.folds, shortNames(one.plan.vary.map(({ path }) => path)).join(', ')]));
}
