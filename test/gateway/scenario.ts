import { randomBytes } from 'node:crypto';
import type { Decision } from '../../contract/decision.js';
import type { Evidence } from '../../contract/evidence.js';
import { generateKeyPair, signDecision, type KeyPair } from '../../domain/decision.js';
import { digestOf } from '../../domain/digest.js';
import type { Stores } from '../../stores/index.js';
import { addRun, digest, ref, versionOf } from '../stores/samples.js';

const figures = { n: 400, accuracy: 0.92, precision: 0.92, recall: 0.92, f1: 0.92, classes: ['car', 'truck'], perClass: [], confusion: [[184, 16], [16, 184]] };

export function evidenceOf(model: string, run: string, version: number, generation: number): Evidence {
  return {
    v: 1, run, model, version, environment: 'production', commit: digest(run).slice(0, 40), snapshot: digest('snapshot'), package: digest(`package of ${run}`), reason: 'a push',
    gates: [{ gate: 'accuracy', description: 'accuracy at least 0.88', value: 0.92, n: 400, threshold: 0.88, verdict: 'pass', reason: '0.920 on 400 rows' }],
    evaluation: figures, slices: [],
    testEnvironment: { v: 1, passed: true, checks: [{ check: 'health', passed: true, detail: 'answers' }], accuracy: 0.92, rows: 400, latencyMs: { p50: 2, p95: 5, p99: 9 }, load: { seconds: 3, connections: 8, requests: 3000, errors: 0, requestsPerSecond: 1000 } },
    live: { version: generation === 0 ? null : version - 1, generation, evaluation: null }, mistakes: [], picturesRef: null, deadline: '2026-11-28T09:00:00.000Z',
  };
}

/** A registered version with sealed evidence; `live` walks it through to a live one. */
export async function addVersion(stores: Stores, model: string, { live, generation }: { live: boolean; generation: number }): Promise<{ run: string; version: number; evidence: string }> {
  const run = await addRun(stores, model);
  await stores.snapshots.save({ digest: digest('snapshot'), model, manifest: ref('snapshot'), rows: 1000, counts: { bySplit: {}, byClass: {}, byAttribute: {} }, report: { v: 1, blocked: false, findings: [] }, blocked: false });
  const { version } = await stores.versions.register(versionOf(model, run));
  await stores.runs.setFields(run, { version, snapshot: digest('snapshot') });
  const sealed = evidenceOf(model, run, version, generation);
  const evidence = digestOf(sealed);
  await stores.evidence.seal({ digest: evidence, run, model, version, environment: 'production', liveVersion: sealed.live.version, liveGeneration: generation, json: ref(`json ${run}`), html: null, deadline: sealed.deadline, sealed });
  await stores.runs.setStep(run, 'approval', 'waiting');
  if (live) {
    for (const to of ['tested', 'approved', 'live'] as const) await stores.versions.transition({ model, version, to, by: 'test', why: 'scenario', eventId: `${to}/${run}` });
    const before = await stores.routes.current('production', model);
    const former = before?.arms[0]?.version;
    if (former !== undefined) await stores.versions.transition({ model, version: former, to: 'retired', by: 'test', why: 'scenario', eventId: `retired/${run}` });
    await stores.routes.write({ environment: 'production', model, expected: before?.generation ?? 0, intent: `release ${run}`, arms: [{ version, role: 'live', share: 1 }], keepWarmMs: 900_000, by: 'test', reason: 'scenario' });
    await stores.runs.end(run, 'released');
  }
  return { run, version, evidence };
}

/** An approver with a key pair of their own. */
export async function addApprover(stores: Stores, id: string): Promise<KeyPair> {
  const keys = generateKeyPair(randomBytes(32));
  await stores.principals.create({ id, kind: 'person', displayName: id, email: `${id}@example.com`, publicKey: keys.publicKey });
  await stores.principals.grant(id, 'approver', null);
  return keys;
}

export function decisionOf(run: string, evidence: string, approver: string, keys: KeyPair): Decision {
  return signDecision({ v: 1, run, evidence, verdict: 'approve', comment: 'looks right', approver, nonce: randomBytes(18).toString('base64url') }, keys.privateKey);
}
