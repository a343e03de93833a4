import type { ClassificationReport, GateResult, PairedCounts } from '../contract/evaluation.js';
import type { Gate, Metric } from '../definition/evaluation.js';
import { pairedDifference, wilsonInterval } from './intervals.js';
import type { PairedDifference } from './intervals.js';

/** Name under which all test rows are compared, beside the declared slices. */
export const OVERALL = 'overall';

export interface GateQuestion {
  /** Of the definition and of the environment's policy together. */
  readonly gates: readonly Gate[];
  readonly overall: ClassificationReport;
  /** Every slice the definition declares, those without rows too. */
  readonly slices: readonly { readonly name: string; readonly report: ClassificationReport }[];
  /** Candidate and live version on the same test rows: {@link OVERALL} and each slice. Empty when nothing is live. */
  readonly paired: readonly PairedCounts[];
  readonly liveVersion: number | null;
}

type AtLeast = Extract<Gate, { kind: 'at-least' }>;
type NotWorse = Extract<Gate, { kind: 'not-worse-than-live' }>;

/** One result per gate, in their order. Pure: the same reports give the same verdicts. */
export function judgeGates({ gates, ...question }: GateQuestion): GateResult[] {
  return gates.map((gate) => {
    switch (gate.kind) {
      case 'at-least': return judgeAtLeast(gate, question);
      case 'not-worse-than-live': return judgeNotWorse(gate, question);
    }
  });
}

/**
 * The candidate's verdict: `fail` if any gate failed. `inconclusive` (also for no gates at all) stops automatic approval only:
 * a person may decide on less than a gate asks for.
 */
export function decideCandidate(results: readonly Pick<GateResult, 'verdict'>[]): GateResult['verdict'] {
  if (results.some(({ verdict }) => verdict === 'fail')) return 'fail';
  return results.length > 0 && results.every(({ verdict }) => verdict === 'pass') ? 'pass' : 'inconclusive';
}

/** A metric of a report with the rows it rests on; `interval` only where the metric is a share of rows. */
export interface Measured { readonly value: number | null; readonly n: number; readonly interval?: [number, number] }

/**
 * A metric of all classes (macro average) or of one. A class's precision rests on the rows predicted as it, its recall and F1
 * on the rows it has; its `accuracy` is its recall: the share of its rows that are right. Intervals are Wilson's, 95%.
 */
export function measure(report: ClassificationReport, metric: Metric, className?: string): Measured {
  if (className === undefined) {
    if (metric !== 'accuracy') return { value: report[metric], n: report.n };
    return share(report.confusion.reduce((right, row, index) => right + (row[index] ?? 0), 0), report.n);
  }
  const index = report.classes.indexOf(className);
  const entry = report.perClass[index];
  if (!entry) return { value: null, n: 0 };
  const right = report.confusion[index]?.[index] ?? 0;
  switch (metric) {
    case 'accuracy': case 'recall': return share(right, entry.support);
    case 'precision': return share(right, report.confusion.reduce((predicted, row) => predicted + (row[index] ?? 0), 0));
    case 'f1': return { value: entry.f1, n: entry.support };
  }
}

function share(part: number, whole: number): Measured {
  const interval = wilsonInterval(part, whole);
  return interval ? { value: part / whole, n: whole, interval } : { value: null, n: 0 };
}

function judgeAtLeast(gate: AtLeast, { overall, slices }: Omit<GateQuestion, 'gates'>): GateResult {
  const where = gate.slice === undefined ? '' : ` on ${gate.slice}`;
  const what = `${gate.metric}${gate.class === undefined ? '' : ` of ${gate.class}`}${where}`;
  const report = gate.slice === undefined ? overall : slices.find(({ name }) => name === gate.slice)?.report;
  const measured: Measured = report ? measure(report, gate.metric, gate.class) : { value: null, n: 0 };
  const result = (verdict: GateResult['verdict'], reason: string): GateResult => ({
    gate: gate.name, description: `${what} at least ${percent(gate.threshold)}`, threshold: gate.threshold, ...measured, verdict, reason,
  });
  if (measured.n === 0) return result('inconclusive', `no rows of ${gate.slice === undefined ? 'the test split' : 'this slice'} yet${gate.class === undefined ? '' : `, of class ${gate.class}`}`);
  if (measured.n < gate.minimumRows) return result('inconclusive', `${measured.n} rows, ${gate.minimumRows} are needed to judge`);
  if (measured.value === null) return result('inconclusive', `${what} is not defined on these rows`);
  const comparison = `${what} is ${percent(measured.value)}`;
  return measured.value >= gate.threshold
    ? result('pass', `${comparison}, at least ${percent(gate.threshold)}`)
    : result('fail', `${comparison}, below ${percent(gate.threshold)}`);
}

type Compared = PairedDifference & { readonly slice: string; readonly verdict: GateResult['verdict'] };
const SEVERITY = { pass: 0, inconclusive: 1, fail: 2 } as const;

/** The worst of the slices speaks for the gate: a candidate may not pay for the whole with one part of the rows. */
function judgeNotWorse(gate: NotWorse, { overall, slices, paired, liveVersion }: Omit<GateQuestion, 'gates'>): GateResult {
  const result = (verdict: GateResult['verdict'], reason: string, measured: Measured = { value: null, n: 0 }): GateResult => ({
    gate: gate.name, description: `accuracy at most ${points(gate.margin)} below the live version, on the same rows, on every slice`, threshold: 0 - gate.margin, ...measured, verdict, reason,
  });
  if (liveVersion === null) return result('pass', 'nothing is live yet to compare with');

  const compared: Compared[] = [];
  const missing: string[] = [];
  for (const { name, report } of [{ name: OVERALL, report: overall }, ...slices]) {
    const counts = paired.find(({ slice }) => slice === name);
    const difference = counts ? pairedDifference(counts) : null;
    if (difference && difference.n >= gate.minimumRows) compared.push({ ...difference, slice: name, verdict: notWorse(difference, gate.margin) });
    else if (report.n >= gate.minimumRows) missing.push(name);
  }
  const worst = compared.sort((a, b) => SEVERITY[b.verdict] - SEVERITY[a.verdict] || a.difference - b.difference)[0];
  if (!worst) return result('inconclusive', `no slice has the ${gate.minimumRows} rows that are needed to compare`);

  const { slice, n, difference, interval, verdict } = worst;
  const comparison = `${slice}: ${points(Math.abs(difference))} ${difference < 0 ? 'below' : 'above'} version ${liveVersion} on ${n} rows (95% interval ${points(interval[0])} to ${points(interval[1])})`;
  const reasons = {
    pass: `worst of ${compared.length} compared: ${comparison}`,
    fail: `${comparison}, more than ${points(gate.margin)} below and not by chance`,
    inconclusive: `${comparison}, more than ${points(gate.margin)} below, but it may be chance`,
  } as const;
  const measured = { value: difference, n, interval };
  if (verdict === 'pass' && missing.length > 0) return result('inconclusive', `the live version was not asked enough rows of ${missing.join(', ')}`, measured);
  return result(verdict, reasons[verdict], measured);
}

function notWorse({ difference, interval }: PairedDifference, margin: number): GateResult['verdict'] {
  if (difference >= -margin) return 'pass';
  return interval[1] < 0 ? 'fail' : 'inconclusive';
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function points(difference: number): string {
  return `${(difference * 100).toFixed(1)} points`;
}
