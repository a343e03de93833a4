import { monitor, notify } from './support/activities.js';

export interface MonitorCheckInput { readonly v: 1; readonly model: string; readonly environment: string }

/** One monitoring pass: report on the live version's newest labelled predictions, alert once per finding, ask for its successor. */
export async function monitorCheck({ model, environment }: MonitorCheckInput): Promise<{ verdict: string }> {
  const check = await monitor.runCheck({ model, environment });
  for (const finding of check.opened) {
    await notify.mailAlert({ model, environment, check: check.id, finding: finding.id });
  }
  for (const { cause, message } of check.retrain) {
    await notify.askGovernor({
      model,
      request: { v: 1, id: cause, cause, commit: null, reason: { kind: 'loss', detail: message, by: `monitor/${model}/${environment}`, force: false } },
    });
  }
  return { verdict: check.verdict };
}
