import type { GateResult, Paired, QualityReport } from '../contract/evaluation.js';
import type { Gate } from '../definition/evaluation.js';
import { pairedDifference } from './intervals.js';
import type { Measured } from './measure.js';
import { errorChange } from './regression.js';

/** Name under which all test rows are compared, beside the declared slices. */
export const OVERALL = 'overall';

type NotWorse = Extract<Gate, { kind: 'not-worse-than-live' }>;
type Verdict = GateResult['verdict'];

export interface NotWorseQuestion {
  readonly overall: QualityReport;
  readonly slices: readonly { readonly name: string; readonly report: QualityReport }[];
  readonly paired: readonly Paired[];
  readonly liveVersion: number | null;
}

/** How the candidate does beside the live version on the same rows. `loss`: how much worse it is, whichever way the metric goes. */
interface Compared { readonly n: number; readonly loss: number; readonly value: number; readonly interval: readonly [number, number] | null; readonly isByChance: boolean }

/** How versions are compared by a metric, and how that is said. */
interface Comparison { readonly description: (margin: string) => string; readonly compare: (paired: Paired) => Compared | null; readonly sign: 1 | -1; readonly text: (value: number) => string; readonly worse: string; readonly better: string }

const COMPARISONS: Readonly<Record<NotWorse['metric'], Comparison>> = {
  accuracy: {
    description: (margin) => `accuracy at most ${margin} below the live version, on the same rows, on every slice`, sign: -1, worse: 'below', better: 'above', text: points,
    compare: (paired) => {
      const found = 'both' in paired ? pairedDifference(paired) : null;
      return found && { n: found.n, loss: -found.difference, value: found.difference, interval: found.interval, isByChance: !(found.interval[1] < 0) };
    },
  },
  mae: {
    description: (margin) => `mean absolute error at most ${margin} above the live version's, on the same rows, on every slice`, sign: 1, worse: 'above', better: 'below', text: percent,
    compare: (paired) => {
      const found = 'deviation' in paired ? errorChange(paired) : null;
      return found && { n: found.n, loss: found.change, value: found.change, interval: found.interval, isByChance: found.interval === null || !(found.interval[0] > 0) };
    },
  },
};

const SEVERITY = { pass: 0, inconclusive: 1, fail: 2 } as const;

/** The worst of the slices speaks for the gate: a candidate may not pay for the whole with one part of the rows. */
export function judgeNotWorse(gate: NotWorse, { overall, slices, paired, liveVersion }: NotWorseQuestion): GateResult {
  const { description, compare, sign, text, worse, better } = COMPARISONS[gate.metric];
  const margin = text(gate.margin);
  const result = (verdict: Verdict, reason: string, measured: Measured = { value: null, n: 0 }): GateResult => ({
    gate: gate.name, description: description(margin), threshold: 0 + sign * gate.margin, ...measured, verdict, reason,
  });
  if (liveVersion === null) return result('pass', 'nothing is live yet to compare with');

  const compared: (Compared & { readonly slice: string; readonly verdict: Verdict })[] = [];
  const missing: string[] = [];
  for (const { name, report } of [{ name: OVERALL, report: overall }, ...slices]) {
    const both = paired.find(({ slice }) => slice === name);
    const found = both ? compare(both) : null;
    if (found && found.n >= gate.minimumRows) compared.push({ ...found, slice: name, verdict: found.loss <= gate.margin ? 'pass' : found.isByChance ? 'inconclusive' : 'fail' });
    else if (report.n >= gate.minimumRows) missing.push(name);
  }
  const worst = compared.sort((a, b) => SEVERITY[b.verdict] - SEVERITY[a.verdict] || b.loss - a.loss)[0];
  if (!worst) return result('inconclusive', `no slice has the ${gate.minimumRows} rows that are needed to compare`);

  const { slice, n, loss, value, interval, verdict } = worst;
  const side = loss > 0 ? worse : better;
  const comparison = `${slice}: ${text(Math.abs(value))} ${side} version ${liveVersion} on ${n} rows${interval ? ` (95% interval ${text(interval[0])} to ${text(interval[1])})` : ''}`;
  const reasons = {
    pass: `worst of ${compared.length} compared: ${comparison}`,
    fail: `${comparison}, more than ${margin} ${worse} and not by chance`,
    inconclusive: `${comparison}, more than ${margin} ${worse}, but it may be chance`,
  } as const;
  const measured: Measured = { value, n, ...(interval ? { interval: [interval[0], interval[1]] } : {}) };
  if (verdict === 'pass' && missing.length > 0) return result('inconclusive', `the live version was not asked enough rows of ${missing.join(', ')}`, measured);
  return result(verdict, reasons[verdict], measured);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function points(difference: number): string {
  return `${(difference * 100).toFixed(1)} points`;
}
