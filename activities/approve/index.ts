import { Decision, DECISION_MAX_CHARACTERS } from '../../contract/decision.js';
import { ERRORS } from '../../contract/errors.js';
import type { ErrorCode } from '../../contract/errors.js';
import { judgeDecision } from '../../domain/decision.js';
import { digestOf, sha256Hex } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { requireRun } from '../lookup.js';
import { mailApprovers } from './mail.js';
import type { ApproverMail } from './mail.js';
import { sealEvidence } from './seal.js';
import type { SealedEvidence, SealRequest } from './seal.js';

export type Admission = { readonly accepted: true; readonly verdict: 'approve' | 'reject' } | { readonly accepted: false };
export type ApproveActivities = ReturnType<typeof createApproveActivities>;

/** Evidence and decisions. Evidence is named by its digest and a decision by its nonce, so running twice finds what was written. */
export function createApproveActivities(deps: ActivityDeps) {
  const { stores } = deps;
  return {
    sealEvidence: (request: SealRequest): Promise<SealedEvidence> => sealEvidence(deps, request),
    mailApprovers: (mail: ApproverMail): Promise<void> => mailApprovers(deps, mail),

    /** Parses, checks and records a message that claims to be a decision. Every refusal is in the ledger. */
    async admitDecision({ model, run: id, environment, via, payload }: { model: string; run: string; environment: string | null; via: 'signal' | 'update'; payload: unknown }): Promise<Admission> {
      const run = await requireRun(stores, id);
      const current = await stores.evidence.current(id);
      const where = environment ?? current?.environment ?? 'production';
      const parsed = Decision.safeParse(payload);
      const payloadDigest = sha256Hex(JSON.stringify(payload ?? null).slice(0, DECISION_MAX_CHARACTERS));

      if (!parsed.success) {
        await refuse({ model, run: id, environment: where, code: malformedCode(payload), approver: null, payloadDigest, detail: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`).join('; ') });
        return { accepted: false };
      }
      const decision = parsed.data;
      const principal = await stores.principals.get(decision.approver);
      const environmentRow = await stores.environments.get(where);
      const mayApprove = principal !== null && principal.disabledAt === null && await mayDecide(principal.id, where, environmentRow?.policy.approvers ?? []);
      const earlier = (await stores.decisions.list(id)).filter((row) => row.accepted);
      const verdict = judgeDecision({
        decision, run: id, currentEvidence: current?.digest ?? null,
        approver: { known: principal !== null, publicKey: principal?.publicKey ?? null, mayApprove },
        // On evidence that is open no more it is stale, whatever was decided on it: the run asks anew.
        alreadyAccepted: decision.evidence === current?.digest && earlier.some((row) => row.evidence === decision.evidence && row.payloadDigest !== payloadDigest),
        runOpen: environment !== null && ['running', 'waiting'].includes(run.status),
      });
      if (!verdict.accepted) {
        await stores.decisions.record({ decision, via, accepted: false, refusal: verdict.code, payloadDigest });
        await refuse({ model, run: id, environment: where, code: verdict.code, approver: decision.approver, payloadDigest, detail: '' });
        return { accepted: false };
      }
      const recorded = await stores.decisions.record({ decision, via, accepted: true, refusal: null, payloadDigest });
      if (!recorded.accepted) {
        await refuse({ model, run: id, environment: where, code: 'decision/repeated', approver: decision.approver, payloadDigest, detail: '' });
        return { accepted: false };
      }
      await stores.ledger.append({ chain: `${model}/${where}`, eventId: `decision/${id}/${payloadDigest}`, actor: decision.approver, action: decision.verdict === 'approve' ? 'approved' : 'rejected', subject: { run: id, evidence: decision.evidence, decision: recorded.id, via }, at: new Date().toISOString() });
      await stores.runs.appendEvent({ run: id, eventId: `decision-${payloadDigest.slice(0, 16)}`, at: new Date().toISOString(), kind: 'decision', step: 'approval', message: `${decision.approver} ${decision.verdict === 'approve' ? 'approved' : 'rejected'}${decision.comment ? `: ${decision.comment}` : ''}`, data: { verdict: decision.verdict, approver: decision.approver, evidence: decision.evidence } });
      return { accepted: true, verdict: decision.verdict };
    },

    /** Approval without a person, where the environment's policy allows it; the decision is recorded like any other, under the principal `policy`. */
    async approveAutomatically({ model, run: id, environment, evidence }: { model: string; run: string; environment: string; evidence: string }): Promise<{ accepted: boolean }> {
      const row = await stores.environments.get(environment);
      const current = await stores.evidence.current(id);
      if (!row?.policy.automaticApproval || current?.digest !== evidence) return { accepted: false };
      const decision: Decision = { v: 1, run: id, evidence, verdict: 'approve', comment: 'every gate passed and the environment allows automatic approval', approver: 'policy', nonce: `automatic-${evidence}`, signature: '' };
      const payloadDigest = digestOf(decision);
      const recorded = await stores.decisions.record({ decision, via: 'automatic', accepted: true, refusal: null, payloadDigest });
      await stores.ledger.append({ chain: `${model}/${environment}`, eventId: `decision/${id}/${payloadDigest}`, actor: 'policy', action: 'approved', subject: { run: id, evidence, decision: recorded.id, via: 'automatic' }, at: new Date().toISOString() });
      return { accepted: recorded.accepted };
    },
  };

  /** The role is needed in any case; where the policy names approvers, only they decide. */
  async function mayDecide(approver: string, environment: string, named: readonly string[]): Promise<boolean> {
    if (named.length > 0 && !named.includes(approver)) return false;
    const roles = await stores.principals.roles(approver);
    return roles.some((grant) => grant.role === 'approver' && (grant.environment === null || grant.environment === environment));
  }

  async function refuse({ model, run, environment, code, approver, payloadDigest, detail }: { model: string; run: string; environment: string; code: ErrorCode; approver: string | null; payloadDigest: string; detail: string }): Promise<void> {
    const at = new Date().toISOString();
    // A refused message may be sent again and again: each copy counts once per content.
    await stores.ledger.append({ chain: `${model}/${environment}`, eventId: `refused/${run}/${payloadDigest}/${code}`, actor: approver ?? 'unknown', action: 'decision-refused', subject: { run, code, payload: payloadDigest }, at });
    await stores.runs.appendEvent({ run, eventId: `refusal-${payloadDigest.slice(0, 16)}-${code}`, at, kind: 'refusal', step: 'approval', message: `a decision was refused (${code})${detail ? `: ${detail}` : ''}`, data: { code, next: ERRORS[code].next, approver } });
  }
}

/** A decision without a signature is told so, rather than that a field is missing. */
function malformedCode(payload: unknown): ErrorCode {
  const object = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  return 'evidence' in object && 'verdict' in object && !object['signature'] ? 'decision/unsigned' : 'decision/malformed';
}
