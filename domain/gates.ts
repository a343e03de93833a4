import type { GateResult, Paired, QualityReport } from '../contract/evaluation.js';
import type { Gate } from '../definition/evaluation.js';
import { measure } from './measure.js';
import type { Measured } from './measure.js';
import { metricText } from './metrics.js';
import { judgeNotWorse } from './not-worse.js';

export { OVERALL } from './not-worse.js';

export interface GateQuestion {
  /** Of the definition and of the environment's policy together. */
  readonly gates: readonly Gate[];
  readonly overall: QualityReport;
  /** Every slice the definition declares, those without rows too. */
  readonly slices: readonly { readonly name: string; readonly report: QualityReport }[];
  /** Candidate and live version on the same test rows: {@link OVERALL} and each slice. Empty when nothing is live. */
  readonly paired: readonly Paired[];
  readonly liveVersion: number | null;
  /** The same of each frozen test set that was measured. */
  readonly frozen?: readonly FrozenReports[];
}

export interface FrozenReports extends Pick<GateQuestion, 'overall' | 'slices' | 'paired'> { readonly name: string }

type Limit = Extract<Gate, { kind: 'at-least' | 'at-most' }>;

/** One result per gate, in their order. Pure: the same reports give the same verdicts. */
export function judgeGates({ gates, frozen = [], ...question }: GateQuestion): GateResult[] {
  return gates.map((gate) => {
    if (gate.frozen !== undefined) {
      const measured = frozen.find(({ name }) => name === gate.frozen);
      if (!measured) return { gate: gate.name, description: `on the frozen test set ${gate.frozen}`, threshold: gate.kind === 'not-worse-than-live' ? gate.margin : gate.threshold, value: null, n: 0, verdict: 'inconclusive', reason: `the frozen test set ${gate.frozen} was not measured` };
      const { frozen: name, ...rule } = gate;
      const [result] = judgeGates({ gates: [rule], ...measured, liveVersion: question.liveVersion });
      if (result) return { ...result, description: `${result.description}, on the frozen test set ${name}`, reason: `frozen test set ${name}: ${result.reason}` };
    }
    switch (gate.kind) {
      case 'at-least': case 'at-most': return judgeLimit(gate, question);
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

/** Figures of which more is better have a lower limit, errors an upper one. */
function judgeLimit(gate: Limit, { overall, slices }: Omit<GateQuestion, 'gates'>): GateResult {
  const className = gate.kind === 'at-least' ? gate.class : undefined;
  const where = gate.slice === undefined ? '' : ` on ${gate.slice}`;
  const what = `${gate.metric}${className === undefined ? '' : ` of ${className}`}${where}`;
  const bound = `${gate.kind === 'at-least' ? 'at least' : 'at most'} ${metricText(gate.metric, gate.threshold)}`;
  const report = gate.slice === undefined ? overall : slices.find(({ name }) => name === gate.slice)?.report;
  const measured: Measured = report ? measure(report, gate.metric, className) : { value: null, n: 0 };
  const result = (verdict: GateResult['verdict'], reason: string): GateResult => ({
    gate: gate.name, description: `${what} ${bound}`, threshold: gate.threshold, ...measured, verdict, reason,
  });
  if (measured.n === 0) return result('inconclusive', `no rows of ${gate.slice === undefined ? 'the test split' : 'this slice'} yet${className === undefined ? '' : `, of class ${className}`}`);
  if (measured.n < gate.minimumRows) return result('inconclusive', `${measured.n} rows, ${gate.minimumRows} are needed to judge`);
  if (measured.value === null) return result('inconclusive', `${what} is not defined on these rows`);
  const comparison = `${what} is ${metricText(gate.metric, measured.value)}`;
  const isMet = gate.kind === 'at-least' ? measured.value >= gate.threshold : measured.value <= gate.threshold;
  if (isMet) return result('pass', `${comparison}, ${bound}`);
  return result('fail', `${comparison}, ${gate.kind === 'at-least' ? 'below' : 'above'} ${metricText(gate.metric, gate.threshold)}`);
}
