import { join } from 'node:path';
import { quantile } from '../../domain/quantiles.js';
import { medianInterval } from '../../domain/intervals.js';
import type { VariantLatency } from '../../contract/compression.js';
import type { Latencies } from '../../runtime/evaluate/measure-latency.js';

/** Summary of each network's times; the first one is what the others are held against. Null without test rows. */
export function latenciesOf({ single, batch }: Latencies): (VariantLatency | null)[] {
  const [reference = []] = single;
  return single.map((own, index) => {
    const [p50, p95, ofBatch] = [quantile(own, 0.5), quantile(own, 0.95), quantile(batch[index] ?? [], 0.5)];
    if (p50 === null || p95 === null || ofBatch === null) return null;
    const differences = own.map((milliseconds, round) => milliseconds - (reference[round] ?? NaN));
    return { p50, p95, batch: ofBatch, difference: { median: quantile(differences, 0.5) ?? 0, interval: medianInterval(differences) } };
  });
}

export const variantFolder = (directory: string, index: number): string => join(directory, String(index));
