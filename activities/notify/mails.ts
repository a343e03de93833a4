import { QualityReport } from '../../contract/evaluation.js';
import { GuardrailCounts } from '../../contract/guardrail-counts.js';
import { RunError } from '../../contract/run.js';
import { guardedLines } from '../../domain/guardrails/counts.js';
import { headlineText } from '../../domain/quality.js';
import { qualityLines } from '../quality.js';

interface EndedRun { readonly id: string; readonly model: string; readonly commit: string; readonly reason: { readonly kind: string; readonly detail: string }; readonly error: unknown }

/** To the committer: how the run ended, why, and what to do. */
export function endMail({ run, about, comment, publicUrl }: { run: EndedRun; about: 'rejected' | 'expired' | 'failed'; comment: string | null; publicUrl: string }) {
  const error = RunError.safeParse(run.error);
  const why = {
    rejected: `An approver rejected it${comment ? `: ${comment}` : '.'}`,
    expired: 'Nobody decided before the deadline.',
    failed: error.success ? `${error.data.message}\n\nWhat to do: ${error.data.next}` : 'It did not pass.',
  }[about];
  return {
    subject: `${run.model}: ${run.id} ${about === 'failed' ? 'did not pass' : about}`,
    text: [`${run.id} (${run.reason.kind}: ${run.reason.detail}, commit ${run.commit.slice(0, 12)}) was not released.`, '', why, '', `perennial show ${run.id}`, `${publicUrl}/api/v1/runs/${run.id}`, ''].join('\n'),
  };
}

/** To those who watch a model: what was found, on how many labels, and what happens now. */
export function alertMail({ model, environment, finding, check, publicUrl }: { model: string; environment: string; finding: { version: number | null; severity: string; message: string }; check: { report: unknown } | null; publicUrl: string }) {
  const found = check?.report as { classification?: unknown; regression?: unknown; guardrails?: unknown } | undefined;
  const report = QualityReport.safeParse(found?.classification ?? found?.regression);
  const guarded = GuardrailCounts.safeParse(found?.guardrails);
  return {
    subject: `ALERT ${model}@${finding.version ?? '?'} in ${environment}: ${finding.message}`,
    text: [`${model}@${finding.version ?? '?'} in ${environment}: ${finding.message}.`, '', ...(report.success ? [`${headlineText(report.data)} on the newest ${report.data.n} labelled predictions:`, ...qualityLines(report.data), ''] : []), ...(guarded.success ? [...guardedLines(guarded.data), ''] : []), `perennial show ${model}`, `${publicUrl}/api/v1/models/${model}/checks`, ''].join('\n'),
  };
}
