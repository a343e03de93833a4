import type { Gauge } from './gauges.js';

const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;

/** Keys that are counted by name; what further ones do is counted as of `other`. */
const MOST_KEYS = 200;
const BUCKETS_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024] as const;
/** Series of one metric. Beyond, the one that is there longest goes: versions come and go while a server runs. */
const MOST_SERIES = 500;

function counted(map: Map<string, number>, key: string, by = 1): void {
  makeRoom(map, key);
  map.set(key, (map.get(key) ?? 0) + by);
}

function makeRoom(map: Map<string, unknown>, key: string): void {
  if (map.size < MOST_SERIES || map.has(key)) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

/** Values of one metric in buckets, per set of labels. */
function createHistograms(bounds: readonly number[]) {
  const histograms = new Map<string, { buckets: number[]; sum: number; count: number }>();
  return {
    observe(key: string, value: number): void {
      let histogram = histograms.get(key);
      if (!histogram) {
        makeRoom(histograms, key);
        histograms.set(key, (histogram = { buckets: bounds.map(() => 0), sum: 0, count: 0 }));
      }
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) histogram.buckets[at] = (histogram.buckets[at] ?? 0) + 1;
      histogram.sum += value;
      histogram.count += 1;
    },
    text(name: string): string[] {
      return [`# TYPE ${name} histogram`, ...[...histograms].flatMap(([labels, { buckets, sum, count }]) => {
        let below = 0;
        return [
          ...bounds.map((bound, index) => `${name}_bucket{${labels},le="${bound}"} ${(below += buckets[index] ?? 0)}`),
          `${name}_bucket{${labels},le="+Inf"} ${count}`, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`,
        ];
      })];
    },
  };
}

/** Counters in Prometheus's text format (version 0.0.4). Labels are names of what is served here, never what a caller wrote. */
export function createMetrics() {
  const requests = new Map<string, number>();
  const latencies = createHistograms(BUCKETS_MS);
  const batches = createHistograms(BUCKETS_ROWS);
  const events = new Map<string, number>();
  const unloadings = new Map<string, number>();
  const lookups = new Map<string, number>();
  const explanations = new Map<string, number>();
  const explanationRows = new Map<string, number>();
  const explanationMs = createHistograms(BUCKETS_MS);
  const keyRefusals = new Map<string, number>();
  const keyPredictions = new Map<string, number>();
  const keyNames = new Set<string>();
  const nameOf = (key: string): string => {
    if (keyNames.size < MOST_KEYS) keyNames.add(key);
    return keyNames.has(key) ? key : 'other';
  };
  const refusals = new Map<string, number>();
  const sentEvents = new Map<string, number>();
  const eventsFailed = new Map<string, number>();
  const guarded = new Map<string, number>();
  const count = counted;

  return {
    request: (route: string, status: number) => count(requests, `route="${route}",status="${status}"`),
    predicted: (model: string, version: number, latencyMs: number) => { latencies.observe(`model="${model}",version="${version}"`, latencyMs); },
    batch: (model: string, version: number, rows: number) => { batches.observe(`model="${model}",version="${version}"`, rows); },
    /** `model` null: the caller named none that is served. */
    refused: (model: string | null, status: number) => count(refusals, `model="${model ?? ''}",status="${status}"`),
    /** A row that met a guardrail, by what was done. */
    guarded: (model: string, guardrail: string, action: string) => count(guarded, `model="${model}",guardrail="${guardrail}",action="${action}"`),
    lookup: (view: string, outcome: string) => count(lookups, `view="${view}",outcome="${outcome}"`),
    keyRefused: (key: string, reason: string) => count(keyRefusals, `key="${nameOf(key)}",reason="${reason}"`),
    keyGiven: (key: string, rows: number) => count(keyPredictions, `key="${nameOf(key)}"`, rows),
    /** `outcome`: `sent`, or `given-up-…` with why. */
    events: (outcome: string, events: number) => count(sentEvents, `outcome="${outcome}"`, events),
    /** A body of events that was not taken. */
    eventsFailed: (reason: string) => count(eventsFailed, `reason="${reason}"`),
    /** `method`: none where none was computed. `computeMs`: of the runner alone, without waiting. */
    explained(model: string, version: number, method: string, status: number, cost: { readonly evaluations: number; readonly computeMs: number } | null): void {
      count(explanations, `model="${model}",version="${version}",method="${method}",status="${status}"`);
      if (!cost) return;
      counted(explanationRows, `model="${model}",version="${version}"`, cost.evaluations);
      explanationMs.observe(`model="${model}",version="${version}"`, cost.computeMs);
    },
    runner: (model: string, version: number, event: string) => count(events, `model="${model}",version="${version}",event="${event}"`),
    /** A version that no route names gave its memory back. */
    unloaded: (why: string) => count(unloadings, `reason="${why}"`),
    text(gauges: readonly Gauge[], byModel: Readonly<Record<string, ReadonlyMap<string, number>>> = {}): string {
      const lines = ['# TYPE perennial_requests_total counter'];
      for (const [labels, value] of requests) lines.push(`perennial_requests_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_runner_events_total counter');
      for (const [labels, value] of events) lines.push(`perennial_runner_events_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_versions_unloaded_total counter');
      for (const [labels, value] of unloadings) lines.push(`perennial_versions_unloaded_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_refusals_total counter');
      for (const [labels, value] of refusals) lines.push(`perennial_refusals_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_guardrails_total counter');
      for (const [labels, value] of guarded) lines.push(`perennial_guardrails_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_feature_lookups_total counter');
      for (const [labels, value] of lookups) lines.push(`perennial_feature_lookups_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_explanations_total counter');
      for (const [labels, value] of explanations) lines.push(`perennial_explanations_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_explanation_evaluations_total counter');
      for (const [labels, value] of explanationRows) lines.push(`perennial_explanation_evaluations_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_key_refusals_total counter');
      for (const [labels, value] of keyRefusals) lines.push(`perennial_key_refusals_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_key_predictions_total counter');
      for (const [labels, value] of keyPredictions) lines.push(`perennial_key_predictions_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_events_total counter');
      for (const [labels, value] of sentEvents) lines.push(`perennial_events_total{${labels}} ${value}`);
      lines.push('# TYPE perennial_event_requests_failed_total counter');
      for (const [labels, value] of eventsFailed) lines.push(`perennial_event_requests_failed_total{${labels}} ${value}`);
      lines.push(...latencies.text('perennial_prediction_latency_ms'), ...batches.text('perennial_batch_rows'), ...explanationMs.text('perennial_explanation_compute_ms'));
      for (const [name, values] of Object.entries(byModel)) {
        lines.push(`# TYPE perennial_${name} counter`);
        for (const [model, value] of values) lines.push(`perennial_${name}{model="${model}"} ${value}`);
      }
      for (const name of new Set(gauges.map((gauge) => gauge.name))) {
        lines.push(`# TYPE perennial_${name} gauge`);
        for (const { labels, value } of gauges.filter((gauge) => gauge.name === name)) lines.push(`perennial_${name}${labelled(labels)} ${value}`);
      }
      return `${lines.join('\n')}\n`;
    },
  };
}
function labelled(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return entries.length === 0 ? '' : `{${entries.join(',')}}`;
}
export type Metrics = ReturnType<typeof createMetrics>;
