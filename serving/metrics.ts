const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;

/** Keys that are counted by name; what further ones do is counted as of `other`. */
const MOST_KEYS = 200;

/** Counters in Prometheus's text format (version 0.0.4). */
export function createMetrics() {
  const requests = new Map<string, number>();
  const latencies = new Map<string, { buckets: number[]; sum: number; count: number }>();
  const events = new Map<string, number>();
  const lookups = new Map<string, number>();
  const keyRefusals = new Map<string, number>();
  const keyPredictions = new Map<string, number>();
  const keyNames = new Set<string>();
  const count = (map: Map<string, number>, key: string, by = 1) => map.set(key, (map.get(key) ?? 0) + by);
  const nameOf = (key: string): string => {
    if (keyNames.size < MOST_KEYS) keyNames.add(key);
    return keyNames.has(key) ? key : 'other';
  };

  return {
    request: (route: string, status: number) => count(requests, `route="${route}",status="${status}"`),
    predicted(model: string, version: number, latencyMs: number): void {
      const key = `model="${model}",version="${version}"`;
      let histogram = latencies.get(key);
      if (!histogram) latencies.set(key, (histogram = { buckets: BUCKETS_MS.map(() => 0), sum: 0, count: 0 }));
      const at = BUCKETS_MS.findIndex((bound) => latencyMs <= bound);
      if (at >= 0) histogram.buckets[at] = (histogram.buckets[at] ?? 0) + 1;
      histogram.sum += latencyMs;
      histogram.count += 1;
    },
    lookup: (view: string, outcome: string) => count(lookups, `view="${view}",outcome="${outcome}"`),
    keyRefused: (key: string, reason: string) => count(keyRefusals, `key="${nameOf(key)}",reason="${reason}"`),
    keyGiven: (key: string, rows: number) => count(keyPredictions, `key="${nameOf(key)}"`, rows),
    runner: (model: string, version: number, event: string) => count(events, `model="${model}",version="${version}",event="${event}"`),
    text(gauges: Readonly<Record<string, number>>): string {
      const lines = ['# TYPE perennial_requests_total counter'];
      for (const [labels, value] of requests) lines.push(`perennial_requests_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_runner_events_total counter');
      for (const [labels, value] of events) lines.push(`perennial_runner_events_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_feature_lookups_total counter');
      for (const [labels, value] of lookups) lines.push(`perennial_feature_lookups_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_key_refusals_total counter');
      for (const [labels, value] of keyRefusals) lines.push(`perennial_key_refusals_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_key_predictions_total counter');
      for (const [labels, value] of keyPredictions) lines.push(`perennial_key_predictions_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_prediction_latency_ms histogram');
      for (const [labels, { buckets, sum, count: total }] of latencies) {
        let below = 0;
        for (const [index, bound] of BUCKETS_MS.entries()) lines.push(`perennial_prediction_latency_ms_bucket{${labels},le="${bound}"} ${(below += buckets[index] ?? 0)}`);
        lines.push(`perennial_prediction_latency_ms_bucket{${labels},le="+Inf"} ${total}`, `perennial_prediction_latency_ms_sum{${labels}} ${sum}`, `perennial_prediction_latency_ms_count{${labels}} ${total}`);
      }
      for (const [name, value] of Object.entries(gauges)) lines.push(`# TYPE perennial_${name} gauge`, `perennial_${name} ${value}`);
      return `${lines.join('\n')}\n`;
    },
  };
}
export type Metrics = ReturnType<typeof createMetrics>;
