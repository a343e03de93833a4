import { createOutboxMail } from '../notify/outbox-mail.js';
import type { ActivityDeps } from '../deps.js';
import { EvaluationReport } from '../../contract/evaluation.js';
import { evidenceHtml, evidenceText } from './page.js';

export interface ApproverMail { readonly model: string; readonly run: string; readonly environment: string; readonly evidence: string; readonly about: 'request' | 'reminder' }

/** Mails the sealed evidence to those who may decide. The outbox id is made of the evidence, the reader and the occasion: a retry adds nothing. */
export async function mailApprovers(deps: ActivityDeps, { model, run, environment, evidence: digest, about }: ApproverMail): Promise<void> {
  const { stores, publicUrl } = deps;
  const found = await stores.evidence.get(digest);
  if (!found) return;
  const row = await stores.environments.get(environment);
  const named = row?.policy.approvers ?? [];
  const everybody = await stores.principals.withRole('approver', environment);
  const approvers = named.length > 0 ? everybody.filter((principal) => named.includes(principal.id)) : everybody;
  const offline = EvaluationReport.safeParse((await stores.evaluations.get(run, 'offline'))?.report);
  const mistakes = offline.success ? offline.data.mistakes : [];
  const subject = `${about === 'reminder' ? 'Reminder: ' : ''}${model}@${found.sealed.version} waits for your decision (${run})`;
  const mail = createOutboxMail(deps);
  for (const approver of approvers) {
    if (!approver.email) continue;
    await mail.enqueue({
      id: `approval/${digest}/${approver.id}/${about}`, to: [approver.email], subject,
      text: evidenceText({ digest, evidence: found.sealed, publicUrl, approver: approver.id }),
      html: evidenceHtml({ digest, evidence: found.sealed, publicUrl, approver: approver.id, mistakes }),
    });
  }
  await stores.runs.appendEvent({
    run, eventId: `mail-${about}-${digest.slice(0, 16)}`, at: new Date().toISOString(), kind: 'mail', step: 'approval',
    message: approvers.length > 0 ? `${about === 'reminder' ? 'reminded' : 'asked'} ${approvers.map((approver) => approver.displayName).join(', ')}` : `nobody may approve for ${environment}: grant the role with \`perennial principal grant NAME approver\``,
    data: { approvers: approvers.map((approver) => approver.id), evidence: digest },
  });
}
