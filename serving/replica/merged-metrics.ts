/** How a gauge of several processes becomes one of their replica; what is not named here is summed. */
const GAUGES: Readonly<Record<string, (values: readonly number[]) => number>> = {
  perennial_ready: (values) => Math.min(...values),
  perennial_runner_ready: (values) => Math.min(...values),
  perennial_uptime_seconds: (values) => Math.max(...values),
  perennial_prediction_log_lag_seconds: (values) => Math.max(...values),
  // Runners, and the memory for them, are shared: each process sees the same.
  perennial_runner_resident_bytes: (values) => Math.max(...values),
};
/** Gauges of what the replica's processes share: these too, whatever is measured of runners and their memory, and of the events of the environment. */
const SHARED = /^perennial_(runner|memory|events)_/;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

type Kind = 'counter' | 'gauge' | 'histogram';
interface Metric { readonly kind: Kind; /** By the series, as it is written: name and labels. */ readonly series: Map<string, number[]> }

/**
 * Metrics of several processes as those of one, in Prometheus's text format: counters and histograms are summed, gauges as {@link GAUGES} says. `ended`: the
 * last ones of processes that ended, of which what was counted goes on counting, since a counter that falls would be taken for one that began again.
 */
export function mergedMetrics(living: readonly string[], ended: string | null = null, own: Readonly<Record<string, number>> = {}): string {
  const metrics = new Map<string, Metric>();
  for (const text of living) take(metrics, text, () => true);
  if (ended !== null) take(metrics, ended, (kind) => kind !== 'gauge');
  const lines: string[] = [];
  for (const [name, { kind, series }] of metrics) {
    lines.push(`# TYPE ${name} ${kind}`);
    const merge = kind === 'gauge' ? GAUGES[name] ?? (SHARED.test(name) ? (values: readonly number[]) => Math.max(...values) : sum) : sum;
    for (const [key, values] of series) lines.push(`${key} ${own[key] ?? merge(values)}`);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function take(metrics: Map<string, Metric>, text: string, wanted: (kind: Kind) => boolean): void {
  let metric: Metric | null = null;
  for (const line of text.split('\n')) {
    const [, name, kind] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (name !== undefined) {
      metric = wanted(kind as Kind) ? metrics.get(name) ?? { kind: kind as Kind, series: new Map<string, number[]>() } : null;
      if (metric) metrics.set(name, metric);
      continue;
    }
    const at = line.lastIndexOf(' ');
    if (!metric || line.startsWith('#') || at < 0) continue;
    const key = line.slice(0, at);
    const values = metric.series.get(key);
    if (values) values.push(Number(line.slice(at + 1)));
    else metric.series.set(key, [Number(line.slice(at + 1))]);
  }
}
