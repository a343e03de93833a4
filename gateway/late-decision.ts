import type { Decision } from '../contract/decision.js';
import { ledgerChain } from '../stores/ledger.js';
import type { Stores } from '../stores/index.js';

/** Records a decision that came after its run's workflow had ended: nobody else can. Safe to repeat: rows and ledger entries are named by the payload. */
export async function refuseLate(stores: Stores, run: { id: string; model: string }, decision: Decision, payloadDigest: string): Promise<void> {
  await stores.decisions.record({ decision, via: 'update', accepted: false, refusal: 'decision/late', payloadDigest });
  const evidence = await stores.evidence.current(run.id);
  await stores.ledger.append({
    chain: ledgerChain(run.model, evidence?.environment ?? 'production'), eventId: `decision/${payloadDigest}`, actor: decision.approver, action: 'decision-refused',
    subject: { run: run.id, evidence: decision.evidence, verdict: decision.verdict, refusal: 'decision/late', payloadDigest }, at: new Date().toISOString(),
  });
}
