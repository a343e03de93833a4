import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { readKey } from '../../../cli/approver-key.js';
import { Anything, DecisionAnswer, EvidenceView } from '../../../cli/views.js';
import type { Decision } from '../../../contract/decision.js';
import { SIGNALS, workflowId } from '../../../contract/names.js';
import { signDecision } from '../../../domain/decision.js';
import { contextOf, type RunningHome } from './running-home.js';

/** A person with a key on this machine; `approver` grants the role. */
export async function addPerson({ world, ...home }: RunningHome, id: string, { approver }: { approver: boolean }): Promise<void> {
  await contextOf({ world, ...home }).api.post(Anything, '/principals', { id, kind: 'person', displayName: id, email: `${id}@example.com` });
  await world.perennial('principal', 'key', id);
  if (approver) await world.perennial('principal', 'grant', id, 'approver');
}

export const evidenceOf = async (home: RunningHome, run: string): Promise<string> => (await contextOf(home).api.get(EvidenceView, `/runs/${run}/evidence`)).digest;

export interface Said { readonly run: string; readonly evidence: string; readonly verdict?: Decision['verdict']; readonly approver: string; /** Whose key signs; the approver's unless told. */ readonly key?: string }

/** A decision as `perennial approve` would sign it, or with another's key. */
export async function signed({ config }: RunningHome, { run, evidence, verdict = 'approve', approver, key = approver }: Said): Promise<Decision> {
  const pair = await readKey(config.secretsDir, key);
  if (!pair) throw new Error(`no key of ${key}`);
  return signDecision({ v: 1, run, evidence, verdict, comment: '', approver, nonce: randomBytes(18).toString('base64url') }, pair.privateKey);
}

/** Through the gateway: what it answers, or the code of its refusal. */
export async function decide(home: RunningHome, run: string, decision: unknown): Promise<string> {
  try {
    return (await contextOf(home).api.post(DecisionAnswer, `/runs/${run}/decisions`, decision)).state;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

/** A signal as any Temporal client can send one, whatever it holds. */
export async function signalWorkflow({ config }: RunningHome, id: string, name: string, payloads: readonly unknown[]): Promise<void> {
  const connection = await Connection.connect({ address: config.temporal.address });
  try {
    const handle = new Client({ connection, namespace: config.temporal.namespace }).workflow.getHandle(id);
    for (const payload of payloads) await handle.signal(name, payload);
  } finally {
    await connection.close();
  }
}

export const signalDecision = (home: RunningHome, model: string, run: string, ...payloads: readonly unknown[]): Promise<void> => signalWorkflow(home, workflowId.lifecycle(model, run), SIGNALS.decide, payloads);
