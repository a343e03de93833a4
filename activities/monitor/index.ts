import { durationMs } from '../../definition/common.js';
import { digestOf } from '../../domain/digest.js';
import { judgeCheck } from '../../domain/monitoring.js';
import type { ActivityDeps } from '../deps.js';
import { requireVersion } from '../lookup.js';
import { liveQuality } from './quality.js';

export interface CheckOutcome {
  readonly id: string; readonly verdict: 'ok' | 'findings' | 'inconclusive';
  /** Findings that this check opened; the same on a second try. */
  readonly opened: readonly { readonly id: number; readonly message: string }[];
  readonly retrain: readonly { readonly cause: string; readonly message: string }[];
}
export type MonitorActivities = ReturnType<typeof createMonitorActivities>;

/** Monitoring. A check is named by the labels it judged, so the same labels give the same check, and a finding is opened once. */
export function createMonitorActivities({ stores }: ActivityDeps) {
  return {
    /** How good the live version is on its newest labelled predictions, judged against the thresholds. */
    async runCheck({ model, environment }: { model: string; environment: string }): Promise<CheckOutcome> {
      const nothing = { id: '', verdict: 'inconclusive', opened: [], retrain: [] } as const;
      const route = await stores.routes.current(environment, model);
      const live = route?.arms.find((arm) => arm.role === 'live');
      const current = await stores.models.currentDefinition(model);
      if (!live || !current) return nothing;
      await requireVersion(stores, model, live.version);
      const { monitoring, data, serving } = current.definition;

      const rows = await stores.predictions.newestLabelled({ model, environment, version: live.version, limit: monitoring.minimumLabels });
      // Who redacts what was answered hears that labels came to nothing, not only that there are few.
      const unjudged = rows.length < monitoring.minimumLabels ? await stores.predictions.countUnjudged({ model, environment, version: live.version }) : 0;
      const quality = liveQuality(data.target, rows);
      const judged = judgeCheck({ report: quality, labels: rows.length, minimumLabels: monitoring.minimumLabels, thresholds: monitoring.thresholds });
      const guardrails = await stores.checks.guardrails({ model, environment, version: live.version, withinMs: durationMs(monitoring.every) }, serving?.guardrails?.map(({ name }) => name) ?? []);
      const times = rows.map((row) => row.at).sort();
      const window = { from: times[0] ?? route?.writtenAt ?? new Date(0).toISOString(), to: times.at(-1) ?? route?.writtenAt ?? new Date(0).toISOString() };
      const id = digestOf({ model, environment, version: live.version, thresholds: monitoring.thresholds, rows: rows.map((row) => [row.predictionId, row.actual]), ...(unjudged > 0 ? { unjudged } : {}) }).slice(0, 32);
      await stores.checks.save({ id, model, environment, version: live.version, window, predictions: rows.length, labels: rows.length, verdict: judged.verdict, report: { v: 1, ...('task' in quality ? { regression: quality } : { classification: quality }), findings: judged.findings, ...(unjudged > 0 ? { unjudged } : {}), ...(guardrails.guardrails.length > 0 ? { guardrails } : {}) } });

      const opened: { id: number; message: string }[] = [];
      const retrain: { cause: string; message: string }[] = [];
      const busy = (await stores.runs.open(model)).length > 0;
      for (const finding of judged.findings) {
        const row = await stores.alerts.openFinding({ model, environment, version: live.version, key: finding.key, check: id, severity: finding.severity, message: finding.message, data: { ...finding } });
        const isNew = row.check === id;
        if (isNew) opened.push({ id: row.id, message: finding.message });
        // A finding asks when it is new, and again while it lasts and no run is on its way; the governor's cooldown spaces them.
        if (finding.action !== 'retrain' || !current.definition.retraining.onThreshold) continue;
        if (isNew) retrain.push({ cause: `finding/${row.id}`, message: finding.message });
        else if (!busy) retrain.push({ cause: `finding/${row.id}/${id}`, message: finding.message });
      }
      if (judged.verdict === 'ok') await stores.alerts.closeFindings({ model, environment, version: live.version });
      return { id, verdict: judged.verdict, opened, retrain };
    },
  };
}
