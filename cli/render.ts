import type { z } from 'zod';
import type { GateResult } from '../contract/evaluation.js';
import type { Context } from './command.js';
import { compressionText } from './compression.js';
import { headlineText } from '../domain/quality.js';
import { changeTable, sliceTable } from './quality.js';
import { figure, moment, table } from './table.js';
import type { EvidenceView, ModelView, Removed, RunView, Served } from './views.js';

type Painted = Pick<Context, 'paint'>;

export function verdictOf({ paint }: Painted, verdict: GateResult['verdict']): string {
  return { pass: paint.green('pass'), fail: paint.red('fail'), inconclusive: paint.yellow('inconclusive') }[verdict];
}

export function gateTable(context: Painted, gates: readonly GateResult[]): string {
  return table(['GATE', 'VERDICT', 'VALUE', 'THRESHOLD', 'ROWS', 'WHY'], gates.map((gate) => [gate.gate, verdictOf(context, gate.verdict), figure(gate.value), figure(gate.threshold), gate.n, gate.reason]));
}

/** Everything an approver judges, on one screen. */
export function evidenceText(context: Painted, { digest, sealed }: EvidenceView): string {
  const { paint } = context;
  const test = sealed.testEnvironment;
  return [
    `${paint.bold(`${sealed.model}@${sealed.version}`)} for ${sealed.environment}   run ${sealed.run}   commit ${sealed.commit.slice(0, 8)}`,
    `because: ${sealed.reason}`, '',
    gateTable(context, sealed.gates), '',
    changeTable(sealed.evaluation, sealed.live.evaluation, sealed.metrics),
    `live now: ${sealed.live.version === null ? 'nothing' : `${sealed.model}@${sealed.live.version} (generation ${sealed.live.generation})`}`, '',
    ...(sealed.slices.length > 0 ? [sliceTable(sealed.slices, sealed.metrics), ''] : []),
    ...(sealed.frozen ?? []).map(({ name, report }) => `frozen test set ${name}: ${headlineText(report, sealed.metrics)} on ${report.n} rows`),
    ...(sealed.compression ? [compressionText(sealed.compression), ''] : []),
    `test environment: ${test.passed ? paint.green('passed') : paint.red('did not pass')}, ${test.mae === undefined ? `accuracy ${figure(test.accuracy)}` : `mae ${figure(test.mae)}`} on ${test.rows} rows, p99 ${test.latencyMs.p99.toFixed(1)} ms, ${Math.round(test.load.requestsPerSecond)} requests/s, ${test.load.errors} errors`,
    ...test.checks.filter((check) => !check.passed).map((check) => paint.red(`  ${check.check}: ${check.detail}`)),
    `decide before: ${moment(sealed.deadline)}`,
    `evidence: ${paint.bold(digest.slice(0, 8))}${digest.slice(8)}`,
  ].join('\n');
}

export function runText(context: Painted, view: RunView): string {
  const { run, explanation } = view;
  const { paint } = context;
  return [
    `${paint.bold(run.id)}  ${statusOf(context, run.status)}  step ${run.step}  since ${moment(run.createdAt)}${run.endedAt ? `, ended ${moment(run.endedAt)}` : ''}`,
    explanation.happened, explanation.stands, `next: ${explanation.next}`,
    ...(view.gates.length > 0 ? ['', gateTable(context, view.gates)] : []),
    ...(view.evaluations.offline ? ['', changeTable(view.evaluations.offline.overall, view.evaluations.liveOnSameRows?.overall ?? null)] : []),
    ...(view.evaluations.compression ? ['', compressionText(view.evaluations.compression)] : []),
    ...(view.evaluations.testEnvironment ? ['', table(['CHECK', 'PASSED', 'DETAIL'], view.evaluations.testEnvironment.checks.map((check) => [check.check, check.passed ? paint.green('yes') : paint.red('no'), check.detail]))] : []),
    ...(view.decisions.length > 0 ? ['', table(['AT', 'APPROVER', 'VERDICT', 'COUNTS', 'COMMENT'], view.decisions.map((one) => [moment(one.at), one.decision.approver, one.decision.verdict, one.accepted ? 'yes' : (one.refusal ?? 'no'), one.decision.comment]))] : []),
  ].join('\n');
}

export function statusOf({ paint }: Painted, status: string): string {
  if (['released', 'applied', 'unchanged'].includes(status)) return paint.green(status);
  if (['failed', 'refused', 'rejected', 'expired'].includes(status)) return paint.red(status);
  return status === 'waiting' ? paint.yellow(status) : status;
}

export function runsTable(context: Painted, runs: readonly RunView['run'][]): string {
  if (runs.length === 0) return 'no runs yet: commit to a registered repository, or `perennial retrain MODEL`';
  return table(['RUN', 'STATUS', 'STEP', 'VERSION', 'REASON', 'STARTED'], runs.map((run) => [run.id, statusOf(context, run.status), run.step, run.version === null ? null : `${run.model}@${run.version}`, run.reason.kind === 'commit' ? `commit ${run.commit.slice(0, 8)}` : run.reason.kind, moment(run.createdAt)]));
}

export function servedTable(model: string, environments: readonly Served[]): string {
  if (environments.length === 0) return 'nothing of it serves anywhere yet';
  const rows = environments.flatMap((one) => [
    [one.environment, one.live === null ? 'nothing' : `${model}@${one.live}`, one.route?.generation ?? null, one.paused ? 'paused' : one.settled ? 'every replica serves it' : 'replicas are switching'] as const,
    ...one.replicas.map((replica) => [`  ${replica.replica}`, replica.version === null ? 'nothing' : `${model}@${replica.version}`, replica.generation, replica.url] as const),
  ]);
  return table(['ENVIRONMENT', 'SERVES', 'GENERATION', ''], rows);
}

/** What is said of a model whose file is gone. */
export const removedText = (model: string, { commit, at }: z.infer<typeof Removed>): string => `${model}: paused: removed: commit ${commit.slice(0, 8)} does not hold it any more (${moment(at)}); it trains on request only, and serves on`;

export function modelText(context: Painted, view: ModelView): string {
  const { paint } = context;
  return [
    `${paint.bold(view.model.name)}  ${view.model.purpose}`,
    `repository ${view.model.repository}, definition at ${view.model.currentCommit?.slice(0, 8) ?? 'no commit yet'}`,
    ...(view.model.removed ? [paint.yellow(removedText(view.model.name, view.model.removed))] : []), '',
    servedTable(view.model.name, view.environments),
    ...view.findings.map((finding) => paint.yellow(`finding: ${finding.message}`)), '',
    runsTable(context, view.runs),
  ].join('\n');
}
