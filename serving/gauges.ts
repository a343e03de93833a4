import type { EventSender } from './events/sender.js';
import type { PredictionLog } from './log/prediction-log.js';
import type { MemoryBudget } from './routing/memory-budget.js';
import type { Models } from './routing/models.js';

/** A number as it is now, by the labels it has. */
export interface Gauge { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }

export interface GaugesOptions {
  readonly models: Pick<Models, 'all'>;
  readonly log: Pick<PredictionLog, 'lag' | 'lostRefusals'>;
  readonly budget: Pick<MemoryBudget, 'bytes' | 'usedBytes' | 'isShort'>;
  /** Null where no events are sent. */
  readonly events: Pick<EventSender, 'lag'> | null;
  readonly leaseHeld: () => boolean;
  readonly ready: () => boolean;
  readonly startedAt: number;
}

/** What a look at the server shows at this moment: of itself, its log, and each version that is loaded. */
export function readGauges({ models, log, budget, events, leaseHeld, ready, startedAt }: GaugesOptions): Gauge[] {
  const { bytes, seconds, shipped } = log.lag();
  const ofServer = {
    ready: ready() ? 1 : 0, lease_held: leaseHeld() ? 1 : 0, uptime_seconds: (Date.now() - startedAt) / 1000, resident_memory_bytes: process.memoryUsage.rss(),
    prediction_log_unshipped_bytes: bytes, prediction_log_lag_seconds: seconds, predictions_shipped: shipped, prediction_log_lost_refusals: log.lostRefusals,
    memory_budget_bytes: budget.bytes, memory_used_bytes: budget.usedBytes, memory_short: budget.isShort ? 1 : 0,
    ...(events ? { events_waiting: events.lag().events, events_lag_seconds: events.lag().seconds } : {}),
  };
  const ofVersions = [...models.all()].flatMap(([model, host]) => host.loaded.flatMap((served) => {
    const labels = { model, version: String(served.version) };
    return [
      { name: 'queued_rows', labels, value: served.queuedRows }, { name: 'runner_ready', labels, value: served.ready ? 1 : 0 },
      { name: 'runner_resident_bytes', labels, value: served.residentBytes },
    ];
  }));
  return [...Object.entries(ofServer).map(([name, value]) => ({ name, labels: {}, value })), ...ofVersions];
}
