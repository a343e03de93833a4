import type { CompressionReport, VariantLatency, VariantReport } from '../contract/compression.js';
import type { GateResult, QualityReport } from '../contract/evaluation.js';
import type { Compression, FULL as FullName } from '../definition/compression.js';
import { OVERALL } from './gates.js';
import type { Interval } from './intervals.js';
import { amountText, lossText } from './loss-text.js';
import { measure } from './measure.js';
import { metricText } from './metrics.js';
import type { PairedLoss } from './paired-loss.js';

/** What the network as it was trained is called. */
export const FULL: typeof FullName = 'full';

/** A slice of fewer rows says nothing of a variant. */
const LEAST_ROWS = 100;

/** What a variant loses of the metric that is allowed to be lost, on all test rows and on each slice where the metric is defined. */
export interface SliceLoss extends PairedLoss { readonly slice: string }

/** A network that was made and measured. `gates`: what the definition's limits say of it. */
export interface MeasuredVariant {
  readonly name: string; readonly how: string; readonly bytes: number;
  readonly overall: QualityReport; readonly losses: readonly SliceLoss[];
  readonly gates: readonly GateResult[]; readonly latencyMs: VariantLatency | null;
}
/** One that could not be made. */
export interface FailedVariant { readonly name: string; readonly how: string; readonly error: string }

export interface VariantQuestion {
  readonly compression: Pick<Compression, 'allow' | 'prefer'>;
  readonly full: MeasuredVariant;
  readonly variants: readonly (MeasuredVariant | FailedVariant)[];
  readonly batchRows: number;
}

type Judged = Pick<VariantReport, 'lost' | 'verdict' | 'reason'>;

/**
 * Chooses the smallest or fastest network that was shown to lose no more than is allowed; where none was, the full one. A test of
 * non-inferiority: the whole 95% interval of the paired loss has to lie within what is allowed (G. Piaggio et al., "Reporting of noninferiority
 * and equivalence randomized trials", JAMA 308, 2012), since a test set that is too small to tell must not stand for one that tells.
 */
export function decideVariant({ compression: { allow, prefer }, full, variants, batchRows }: VariantQuestion): CompressionReport {
  const reports = variants.map((variant): VariantReport => ('error' in variant
    ? { name: variant.name, how: variant.how, bytes: null, value: null, n: 0, lost: null, latencyMs: null, verdict: 'fail', reason: `could not be made: ${variant.error}` }
    : { ...measured(variant, allow), ...judge(variant, allow) }));
  const whole: VariantReport = { ...measured(full, allow), lost: null, verdict: 'pass', reason: 'as it was trained' };
  const better = reports.filter((one) => one.verdict === 'pass' && WINS[prefer](one, full)).sort((a, b) => cost(prefer, a) - cost(prefer, b))[0];
  return { v: 1, metric: allow.metric, allowed: allow.lost, prefer, batchRows, chosen: better?.name ?? FULL, because: better ? won(better, full, prefer) : stays(reports, prefer), variants: [whole, ...reports] };
}

function measured({ name, how, bytes, overall, latencyMs }: MeasuredVariant, { metric }: Compression['allow']): Omit<VariantReport, 'lost' | 'verdict' | 'reason'> {
  return { name, how, bytes, ...measure(overall, metric), latencyMs };
}

function judge({ losses, gates, overall: { n: rows } }: MeasuredVariant, { metric, lost: allowed }: Compression['allow']): Judged {
  const overall = losses.find(({ slice }) => slice === OVERALL);
  if (!overall) return { lost: null, verdict: 'inconclusive', reason: rows === 0 ? 'there are no test rows to judge it on' : `${metric} is not defined on the test rows` };
  const { value, interval, n } = overall;
  const lost = { value, interval: interval && [interval[0], interval[1]] } satisfies Judged['lost'];
  const said = (loss: typeof overall) => `${lossText(metric, loss.value)}${loss.interval ? ` (95% interval ${loss.interval.map((bound) => amountText(metric, bound)).join(' to ')})` : ''}, on ${loss.n} rows`;
  const limit = amountText(metric, allowed);
  const failed = gates.find(({ verdict }) => verdict === 'fail');
  if (failed) return { lost, verdict: 'fail', reason: `the gate ${failed.gate} would fail: ${failed.reason}` };
  const hurt = losses.find((loss) => loss.n >= LEAST_ROWS && loss.value > allowed && loss.interval !== null && loss.interval[0] > 0);
  if (hurt) return { lost, verdict: 'fail', reason: `${hurt.slice === OVERALL ? '' : `slice ${hurt.slice}: `}${said(hurt)}: more than ${limit}, and not by chance` };
  if (interval && interval[1] <= allowed) return { lost, verdict: 'pass', reason: said(overall) };
  return { lost, verdict: 'inconclusive', reason: `${said(overall)}: ${n} rows do not show that no more than ${limit} is lost` };
}

const cost = (prefer: Compression['prefer'], { bytes, latencyMs }: VariantReport): number => (prefer === 'size' ? bytes : latencyMs?.difference.median) ?? Infinity;

/** What is faster by chance is not faster, and what is faster by less than this share is not worth what it loses. */
const LEAST_GAIN = 0.05;

const WINS: Readonly<Record<Compression['prefer'], (variant: VariantReport, full: MeasuredVariant) => boolean>> = {
  size: ({ bytes }, full) => bytes !== null && bytes < full.bytes,
  latency: ({ latencyMs }, full) => full.latencyMs !== null && (latencyMs?.difference.interval?.[1] ?? 0) < -LEAST_GAIN * full.latencyMs.p50,
};

function won({ name, bytes, reason, latencyMs }: VariantReport, full: MeasuredVariant, prefer: Compression['prefer']): string {
  const gained = prefer === 'size' ? `${bytesText(bytes ?? 0)} instead of ${bytesText(full.bytes)}` : `${millisecondsText(latencyMs?.p50 ?? NaN)} a row instead of ${millisecondsText(full.latencyMs?.p50 ?? NaN)}`;
  return `${name} is the ${prefer === 'size' ? 'smallest' : 'fastest'} that loses no more than is allowed: ${gained}; ${reason}`;
}

function stays(reports: readonly VariantReport[], prefer: Compression['prefer']): string {
  return reports.some(({ verdict }) => verdict === 'pass') ? `the full network stays: no variant that loses no more than is allowed is ${prefer === 'size' ? 'smaller' : 'faster by 5% and more than chance'}` : 'the full network stays: no variant was shown to lose no more than is allowed';
}

/** A size for people: bytes up to a thousand, then kB and MB of powers of ten. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

export function millisecondsText(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(3) : milliseconds.toFixed(1)} ms`;
}

/** The lines of a table: name, how it was made, figure, loss, size, latency, whether it was chosen and why. */
export function variantRows({ metric, chosen, variants }: CompressionReport): string[][] {
  return variants.map(({ name, how, value, interval, lost, bytes, latencyMs, reason }) => [
    name === chosen ? `${name} (chosen)` : name, how,
    value === null ? '–' : `${metricText(metric, value)}${interval ? ` (${intervalText(metric, interval)})` : ''}`,
    lost === null ? '–' : amountText(metric, lost.value), bytes === null ? '–' : bytesText(bytes),
    latencyMs === null ? '–' : millisecondsText(latencyMs.p50), latencyMs === null ? '–' : millisecondsText(latencyMs.batch), reason,
  ]);
}

export const variantColumns = ({ metric, batchRows }: CompressionReport): string[] => ['variant', 'how', `${metric} (95% interval)`, 'lost', 'stored', 'one row', `${batchRows} rows`, 'why'];

function intervalText(metric: CompressionReport['metric'], interval: Interval): string {
  return interval.map((bound) => metricText(metric, bound)).join(' to ');
}
