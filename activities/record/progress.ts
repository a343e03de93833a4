import { PerennialError } from '../../contract/errors.js';
import type { RunError, RunStatus, RunStep } from '../../contract/run.js';
import type { DataReport } from '../../contract/snapshot.js';
import type { ActivityDeps } from '../deps.js';

export type EndStatus = Exclude<RunStatus, 'queued' | 'running' | 'waiting'>;

/** Where a run stands, what it was given, and how it ended. */
export function createProgressRecord({ stores }: Pick<ActivityDeps, 'stores'>) {
  return {
    async enterStep({ run, event, step, status, message }: { run: string; event: string; step: RunStep; status: 'running' | 'waiting'; message: string }): Promise<void> {
      await stores.runs.setStep(run, step, status);
      await stores.runs.appendEvent({ run, eventId: event, at: new Date().toISOString(), kind: 'step', step, message, data: {} });
    },

    /** Binds the snapshot to the run; refuses one that validation blocked. */
    async admitSnapshot({ run, snapshot }: { model: string; run: string; snapshot: { digest: string; blocked: boolean; report: DataReport } }): Promise<void> {
      for (const [index, finding] of snapshot.report.findings.entries()) {
        await stores.runs.appendEvent({ run, eventId: `data-${index}`, at: new Date().toISOString(), kind: 'note', step: 'validate', message: `${finding.severity}: ${finding.message} (${finding.count})`, data: { ...finding } });
      }
      if (snapshot.blocked) {
        const blocking = snapshot.report.findings.filter((finding) => finding.severity === 'block');
        throw new PerennialError('data/blocked', blocking.map((finding) => `${finding.message}: ${finding.rows.slice(0, 5).join(', ')}`).join('; '), { findings: blocking });
      }
      await stores.runs.setFields(run, { snapshot: snapshot.digest });
    },

    /** First end wins. */
    async endRun({ run, status, message, error }: { model: string; run: string; status: EndStatus; message: string; error?: RunError | undefined }): Promise<void> {
      await stores.runs.end(run, status, error);
      await stores.runs.appendEvent({ run, eventId: 'end', at: new Date().toISOString(), kind: 'end', message, data: { status, ...(error ? { error } : {}) } });
    },
  };
}
